"""
Blobs that callers name: read, written and signed under the caller's own credential, on allowed hosts only.

A caller decides where this process connects, so every reference is checked before use: host on the allow-list, https
unless loopback or the own account, no redirects, no address taken from a connection string beside its blob endpoint,
no private address behind a public name, sizes bounded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobClient, BlobSasPermissions, ExponentialRetry, generate_blob_sas

from shared.secret import Secret
from shared.storage_account import BlobSigner, blob_service, credential_of
from shared.wire import BlobReference
from studio.blobs.connection import ConnectionStringError, StorageAccount, location_of
from studio.blobs.pinned_transport import (
    AddressRefused,
    AnswerRefused,
    CertificateRefused,
    Unresolved,
    checked_address,
    pinned_transport,
)

MAX_INPUT_BYTES = 10 * 2**30  # the classic service's limit for one input
MAX_MODEL_BYTES = 128 * 2**20

_CONTAINER = re.compile(r"\$root|\$web|(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
_TOKEN_BACKDATED = timedelta(minutes=5)  # for clocks that run behind
_TOKEN_LIFETIME = timedelta(hours=24)
_MAX_BLOB_NAME = 1024
_MAY_PASS = (408, 429)
_CHUNK_BYTES = 8 * 2**20  # well below what one response may have; larger ones take memory and save no time
_CHUNKS_AT_ONCE = 4
_PATIENCE: dict[str, Any] = {
    "permit_redirects": False,
    "max_single_get_size": _CHUNK_BYTES,
    "max_chunk_get_size": _CHUNK_BYTES,
    "max_single_put_size": _CHUNK_BYTES,
    "max_block_size": _CHUNK_BYTES,
    "connection_timeout": 10,
    "read_timeout": 60,
}

# The library's own pause before the first retry is 15 seconds.
_RETRIES: dict[str, Any] = {"initial_backoff": 0.5, "increment_base": 2, "random_jitter_range": 0.3, "retry_total": 3}


class BlobFault(Exception):
    """A reference cannot be used. `detail` is the protocol's detail code; the text names no credential."""

    def __init__(self, detail: str, sentence: str) -> None:
        self.detail = detail
        super().__init__(sentence)


class BlobUnreachable(BlobFault):
    """The account does not answer, or says that it cannot now: the same request may pass later."""


class BlobAccess:
    """
    Opens references.

    Args:
        own: The service's own account, meant by a reference that has neither connection string nor base location.
        hosts: `host` (default port) or `host:port` that references may lead to, `private:` before those that may have
            private addresses.
    """

    def __init__(self, own: StorageAccount, hosts: frozenset[str]) -> None:
        self._own = own
        self._hosts = hosts
        self._signer = BlobSigner(blob_service(own.identity)) if own.identity else None

    def check(self, reference: BlobReference) -> None:
        """Refuse a reference that could never be used; makes no request."""
        if not reference.container or not reference.blob_name:
            raise BlobFault("ContainerSegmentInvalid", f"'{reference.relative_location}' is not container/path/name")
        if len(reference.blob_name) > _MAX_BLOB_NAME:
            raise BlobFault("BlobNameTooLong", f"a blob name has at most {_MAX_BLOB_NAME} characters")
        self._account(reference)
        if not _CONTAINER.fullmatch(reference.container):
            raise BlobFault(
                "ContainerValidationFailed",
                f"'{reference.container}' is no container's name: 3 to 63 lower-case letters, digits and single dashes",
            )

    def place(self, reference: BlobReference) -> tuple[object, ...]:
        """Return what is equal for two references to one blob, however each names its account."""
        endpoint = self._account(reference).blob_endpoint
        return location_of(endpoint), urlsplit(endpoint).path, reference.relative_location

    def download(self, reference: BlobReference, target: Path, *, limit: int = MAX_INPUT_BYTES) -> int:
        """Stream a blob into a file and return its size in bytes; memory stays at a few chunks."""
        with self._client(reference) as client, target.open("wb") as file:
            return _copy(client, file, limit, _shown(reference))

    def read(self, reference: BlobReference, *, limit: int = MAX_MODEL_BYTES) -> bytes:
        """Return a blob's bytes, at most `limit` of them."""
        with self._client(reference) as client:
            stream = client.download_blob()
            _refuse_larger(stream.size, limit, _shown(reference))
            return stream.readall()

    def write(self, reference: BlobReference, data: bytes | Path) -> None:
        """Write a blob whole, replacing one that is there; a file's content goes block by block."""
        with self._client(reference) as client:
            if isinstance(data, bytes):
                client.upload_blob(data, overwrite=True)
                return
            with data.open("rb") as file:
                client.upload_blob(file, length=data.stat().st_size, overwrite=True)

    def result(self, reference: BlobReference, now: datetime) -> BlobReference:
        """
        Return the reference as a status answer gives it: base location, relative location and a token to read it.

        The token is new on every call when this service can sign for the account, else the one that the caller gave.
        """
        account = self._account(reference)
        token = self._signed(account, reference, now) or account.signature
        return BlobReference(
            relative_location=reference.relative_location,
            base_location=account.base_location,
            sas_token=Secret(f"?{token.reveal()}") if token else None,
        )

    def _signed(self, account: StorageAccount, reference: BlobReference, now: datetime) -> Secret | None:
        if account.key is not None:
            return _signed(account.name, account.key, reference, now)
        if account.identity is None or self._signer is None:
            return None
        permission = BlobSasPermissions(read=True)
        return self._signer.token(reference.container, reference.blob_name, permission, _TOKEN_LIFETIME, now)

    def _account(self, reference: BlobReference) -> StorageAccount:
        """Find the account that a reference means; a connection string wins over a base location."""
        if reference.connection is None and reference.base_location is None:
            return self._own
        try:
            if reference.connection is not None:
                detail, account = "InvalidBlobConnectionString", StorageAccount.parse(reference.connection)
            else:
                detail, account = "InvalidBlob", _account_by_signature(reference)
            self._refuse_foreign(account, detail)
        except ConnectionStringError as error:
            subject = "ConnectionString" if reference.connection else "BaseLocation"
            raise BlobFault("InvalidBlobConnectionString", f"{subject} of '{_shown(reference)}': {error}") from None
        return account

    def _refuse_foreign(self, account: StorageAccount, detail: str) -> None:
        place = location_of(account.blob_endpoint)
        if not place.is_listed(self._hosts):
            raise BlobFault(
                detail,
                f"this service does not connect to '{place.host}:{place.port}'; its operator can allow the host in "
                "STUDIO_BLOB_HOSTS",
            )
        is_own = place == location_of(self._own.blob_endpoint)
        if place.scheme != "https" and not place.is_loopback and not is_own:
            raise BlobFault(detail, f"'{place.host}' must be reached by https")

    @contextmanager
    def _client(self, reference: BlobReference) -> Iterator[BlobClient]:
        account = self._account(reference)
        transport = self._transport(account, reference)
        try:
            with BlobClient(
                account.blob_endpoint,
                reference.container,
                reference.blob_name,
                credential=_credential(account),
                retry_policy=ExponentialRetry(**_RETRIES),
                transport=transport,
                **_PATIENCE,
            ) as client:
                yield client
        except AzureError as error:
            raise _fault(error, reference, account) from error
        except (AnswerRefused, CertificateRefused) as error:
            raise BlobFault("InvalidBlob", f"blob '{_shown(reference)}' cannot be read: {error}") from None

    def _transport(self, account: StorageAccount, reference: BlobReference) -> RequestsTransport:
        place = location_of(account.blob_endpoint)
        is_private = (
            place.is_loopback
            or place.is_listed_as_private(self._hosts)
            or place == location_of(self._own.blob_endpoint)
        )
        try:
            address = checked_address(place.host, place.port, is_private=is_private)
        except Unresolved as error:
            raise BlobUnreachable("InvalidBlob", f"blob '{_shown(reference)}': {error}") from None
        except AddressRefused as error:
            raise BlobFault(
                "InvalidBlob",
                f"blob '{_shown(reference)}': {error}; its operator can list it as private in STUDIO_BLOB_HOSTS",
            ) from None
        return pinned_transport(place.host, address)


def _account_by_signature(reference: BlobReference) -> StorageAccount:
    base = (reference.base_location or "").rstrip("/")
    location_of(base)
    token = reference.sas_token.reveal().lstrip("?") if reference.sas_token else ""
    return StorageAccount(base, signature=Secret(token))


def _credential(account: StorageAccount) -> Any:
    if account.key is not None:
        return {"account_name": account.name, "account_key": account.key.reveal()}
    if account.identity is not None:
        return credential_of(account.identity)
    return account.signature.reveal() if account.signature else None


def _signed(account_name: str, key: Secret, reference: BlobReference, now: datetime) -> Secret:
    token = generate_blob_sas(
        account_name=account_name,
        container_name=reference.container,
        blob_name=reference.blob_name,
        account_key=key.reveal(),
        permission=BlobSasPermissions(read=True),
        start=now - _TOKEN_BACKDATED,
        expiry=now + _TOKEN_LIFETIME,
    )
    return Secret(token)


def _copy(client: BlobClient, file: IO[bytes], limit: int, name: str) -> int:
    stream = client.download_blob(max_concurrency=_CHUNKS_AT_ONCE)
    _refuse_larger(stream.size, limit, name)
    stream.readinto(file)
    n_bytes = file.seek(0, os.SEEK_END)
    _refuse_larger(n_bytes, limit, name)
    return n_bytes


def _refuse_larger(size: int, limit: int, name: str) -> None:
    if size > limit:
        raise BlobFault("InvalidBlob", f"blob '{name}' has {size} bytes; this service reads at most {limit}")


def _fault(error: AzureError, reference: BlobReference, account: StorageAccount) -> BlobFault:
    name, host = _shown(reference), location_of(account.blob_endpoint).host
    if isinstance(error, ResourceNotFoundError):
        return BlobFault("BlobNotFound", f"blob '{name}' or its container does not exist on {host}")
    if isinstance(error, ClientAuthenticationError) or getattr(error, "status_code", None) == 403:
        return BlobFault("InvalidBlob", f"{host} refused the credential given for blob '{name}'; is the token current?")
    if isinstance(error, ResourceModifiedError):
        return BlobFault("InvalidBlob", f"blob '{name}' changed while it was read; submit it again")
    is_answer = isinstance(error, HttpResponseError) and not isinstance(error, IncompleteReadError)
    if isinstance(error, HttpResponseError) and is_answer and error.status_code is not None:
        may_pass = error.status_code in _MAY_PASS or error.status_code >= 500
        kind = BlobUnreachable if may_pass else BlobFault
        return kind("InvalidBlob", f"{host} answered {error.status_code} for blob '{name}'")
    return BlobUnreachable("InvalidBlob", f"{host} could not be reached for blob '{name}'")


def _shown(reference: BlobReference) -> str:
    return reference.relative_location.partition("?")[0]
