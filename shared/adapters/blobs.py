"""Blobs of the app's own account: streams, small files, and references that hand one blob to a service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties, BlobSasPermissions, BlobType, StorageStreamDownloader

from shared.adapters.blob_writer import BlobWriter
from shared.adapters.patience import CONNECT_S, blob_patience
from shared.errors import DatasetChanged
from shared.secret import Secret
from shared.storage_account import BlobSigner, blob_service
from shared.wire import BlobReference

UPLOADED_BY = "uploaded_by"  # in a blob's metadata, where whoever uploads may say who that is
_PIECE = 4 * 2**20  # bytes read in one call


@dataclass(frozen=True)
class BlobFacts:
    """
    What storage says of one version of a blob; `size` in bytes, `etag` without quotes.

    Attributes:
        may_grow: Whether more may be appended to it: an append blob that is not sealed.
        is_folder: Whether it only stands for a folder, as tools of hierarchical accounts make them.
        uploaded_by: Who uploaded it, as its metadata says; empty where they do not.
    """

    container: str
    name: str
    etag: str
    size: int
    modified_at: datetime
    may_grow: bool = False
    is_folder: bool = False
    uploaded_by: str = ""

    @property
    def path(self) -> str:
        """`container/name`."""
        return f"{self.container}/{self.name}"


class BlobStore:
    """The account's blobs, by container and name."""

    def __init__(self, connection: Secret, handover: Secret | None = None) -> None:
        """
        Args:
            connection: Opens the account, by a key or by an identity.
            handover: A connection string with key, which jobs get instead of tokens where a service takes nothing else.
        """
        # Small pieces: a file is read in memory that does not grow with it.
        pieces = {"max_single_get_size": _PIECE, "max_chunk_get_size": _PIECE}
        self._connection = connection
        self._service = blob_service(connection, **pieces, **blob_patience())
        self._signer = BlobSigner(self._service)
        self._handover = handover

    def blob(self, path: str) -> BlobClient:
        """Return the client of `container/name`."""
        container, _, name = path.partition("/")
        return self._service.get_blob_client(container, name)

    def read(self, path: str) -> bytes | None:
        """Read a small blob whole; None when it is not there."""
        try:
            return bytes(self.blob(path).download_blob().readall())
        except ResourceNotFoundError:
            return None

    def write(self, path: str, data: bytes | Iterable[bytes]) -> str:
        """Write a blob, replacing what was there, and return its ETag; an iterable is streamed in blocks."""
        return str(self.blob(path).upload_blob(data, overwrite=True)["etag"]).strip('"')

    def write_json(self, path: str, document: Any) -> None:
        """Write a document as JSON."""
        self.write(path, json.dumps(document, ensure_ascii=False, indent=1).encode())

    def read_json(self, path: str) -> Any:
        """Read a document; None when it is not there."""
        data = self.read(path)
        return None if data is None else json.loads(data)

    def digest(self, path: str) -> str | None:
        """Return a blob's SHA-256 in hex; None when it is not there."""
        sha = hashlib.sha256()
        try:
            for chunk in self.blob(path).download_blob().chunks():
                sha.update(chunk)
        except ResourceNotFoundError:
            return None
        return sha.hexdigest()

    def listing(self, container: str, prefix: str = "") -> Iterator[BlobFacts]:
        """Yield every blob of a container as it is now, page by page; blocks not yet committed are no blob."""
        client = self._service.get_container_client(container)
        for blob in client.list_blobs(name_starts_with=prefix or None, include=["metadata"]):
            yield _facts(container, blob)

    def delete(self, path: str) -> None:
        """Remove a blob; one that is not there is as good as removed."""
        try:
            self.blob(path).delete_blob()
        except ResourceNotFoundError:
            return

    def writer(self, path: str) -> BlobWriter:
        """Write a blob piece by piece; it appears whole, or not at all."""
        return BlobWriter(self.blob(path))

    def reachable(self, container: str) -> datetime | None:
        """
        Ask for a container, there or not, and return what time the answer says it is.

        An account's own properties are more than an identity with roles on containers may read. Asked once: who wants
        to know is a probe or a person who waits.

        Raises:
            AzureError: The account does not answer, or refuses; `trouble` says which.
        """
        dates: list[str] = []
        with (
            blob_service(self._connection, retry_total=0, connection_timeout=CONNECT_S, read_timeout=CONNECT_S) as once,
            suppress(ResourceNotFoundError),
        ):
            once.get_container_client(container).get_container_properties(
                raw_response_hook=lambda answer: dates.append(_date_header(answer))
            )
        return parsedate_to_datetime(dates[0]) if dates and dates[0] else None

    def has_container(self, name: str) -> bool:
        """Whether a container is there."""
        return bool(self._service.get_container_client(name).exists())

    def reference(self, path: str, *, write: bool, lifetime: timedelta) -> BlobReference:
        """
        Hand one blob to a service: a reference whose token opens that blob alone, for so long.

        Args:
            write: Create and overwrite as well as read; else read only.
        """
        blob = self.blob(path)
        permission = BlobSasPermissions(read=True, create=write, write=write)
        token = self._signer.token(blob.container_name, blob.blob_name, permission, lifetime, datetime.now(UTC))
        base = self._service.primary_endpoint.rstrip("/") + "/"
        return BlobReference(path, base_location=base, sas_token=Secret(f"?{token.reveal()}"))

    def job_reference(self, path: str, *, write: bool, lifetime: timedelta) -> BlobReference:
        """Hand one blob to a training job: as `reference` does, unless a connection string was set for that."""
        if self._handover is not None:
            return BlobReference(path, connection=self._handover)
        return self.reference(path, write=write, lifetime=lifetime)


def _date_header(answer: Any) -> str:
    return str(answer.http_response.headers.get("Date", ""))


def facts_of(blob: BlobClient) -> BlobFacts | None:
    """Ask what a blob is now; None when it is gone."""
    try:
        properties = blob.get_blob_properties()
    except ResourceNotFoundError:
        return None
    return _facts(str(blob.container_name), properties)


def opened(blob: BlobClient) -> tuple[BlobFacts, Iterator[bytes]] | None:
    """
    Begin to read a blob: what it is now, and a stream of exactly that version, as `chunks_of` gives it. None when it is
    gone. One call where asking first and reading then takes two.
    """
    try:
        stream = blob.download_blob()
    except ResourceNotFoundError:
        return None
    facts = _facts(str(blob.container_name), stream.properties)
    return facts, _chunks(stream, facts)


def _facts(container: str, properties: BlobProperties) -> BlobFacts:
    kind, metadata = properties.blob_type, properties.metadata or {}
    return BlobFacts(
        container=container,
        name=properties.name,
        etag=properties.etag.strip('"'),
        size=properties.size,
        modified_at=properties.last_modified,
        may_grow=kind == BlobType.APPENDBLOB and not properties.is_append_blob_sealed,
        is_folder=metadata.get("hdi_isfolder") == "true",
        uploaded_by=metadata.get(UPLOADED_BY, ""),
    )


def hashed(chunks: Iterable[bytes], sha: Any) -> Iterator[bytes]:
    """Pass chunks on, and feed them to a hash on their way."""
    for chunk in chunks:
        sha.update(chunk)
        yield chunk


def chunks_of(blob: BlobClient, facts: BlobFacts) -> Iterator[bytes]:
    """
    Stream exactly the version that `facts` describe.

    Raises:
        DatasetChanged: Another version is there now, or none.
    """
    try:
        stream = blob.download_blob(etag=f'"{facts.etag}"', match_condition=MatchConditions.IfNotModified)
    except (ResourceModifiedError, ResourceNotFoundError) as changed:
        raise DatasetChanged(facts.path) from changed
    yield from _chunks(stream, facts)


def _chunks(stream: StorageStreamDownloader[bytes], facts: BlobFacts) -> Iterator[bytes]:
    try:
        yield from stream.chunks()  # the library asks for the version that it began with
    except (ResourceModifiedError, ResourceNotFoundError) as changed:
        raise DatasetChanged(facts.path) from changed


def trouble(failed: AzureError) -> str:
    """Say in a few words why an account did not do what it was asked; quotes nothing that it said."""
    if isinstance(failed, HttpResponseError) and failed.status_code:
        code = getattr(failed, "error_code", None)
        return f"refuses the app ({failed.status_code} {getattr(code, 'value', code) or type(failed).__name__})"
    return f"does not answer ({type(failed).__name__})"
