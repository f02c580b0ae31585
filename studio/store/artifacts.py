"""Experiments and models, each kept under the SHA-256 of its bytes: never changed, shared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePosixPath

from shared.wire import BlobReference
from studio.store.account import ARTIFACT_CONTAINER, OwnStorage


class ArtifactKind(Enum):
    """What the bytes are; the value is the blob's extension."""

    EXPERIMENT = "toml"
    MODEL = "ilearner"


class ArtifactMissing(Exception):
    """A record names bytes that the storage account no longer holds, or holds altered."""

    def __init__(self, kind: ArtifactKind, digest: str) -> None:
        self.kind, self.digest = kind, digest
        super().__init__(f"the {kind.name.lower()} {digest[:12]}… is missing from storage or was altered there")


@dataclass(frozen=True)
class Kept:
    """One artifact as it was when it was listed; `put_at` is UTC."""

    kind: ArtifactKind
    digest: str
    put_at: datetime
    etag: str


class Artifacts:
    """Puts and gets bytes by digest (64 lower-case hex digits)."""

    def __init__(self, storage: OwnStorage) -> None:
        self._storage = storage

    def put(self, kind: ArtifactKind, data: bytes) -> str:
        """
        Keep `data` and return its digest.

        Equal bytes are kept once and written again: that mends a blob that was altered, and its new ETag tells a
        removal that was decided before that it is wanted.
        """
        digest = hashlib.sha256(data).hexdigest()
        self._storage.artifacts.get_blob_client(blob_name(kind, digest)).upload_blob(data, overwrite=True)
        return digest

    def get(self, kind: ArtifactKind, digest: str) -> bytes:
        """
        Return the bytes kept under `digest`.

        Raises:
            ArtifactMissing: There are none, or they no longer give that digest.
        """
        data = self._storage.artifact_reader(blob_name(kind, digest))
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            raise ArtifactMissing(kind, digest)
        return data

    def listed(self, kind: ArtifactKind) -> Iterator[Kept]:
        """List what is kept of one kind."""
        for blob in self._storage.artifacts.list_blobs(name_starts_with=f"{kind.name.lower()}s/"):
            yield Kept(kind, PurePosixPath(blob.name).stem, blob.last_modified, str(blob.etag))

    def remove(self, kept: Kept) -> bool:
        """Remove what was listed, unless it was put again meanwhile or is gone; True when it was removed."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        blob = self._storage.artifacts.get_blob_client(blob_name(kept.kind, kept.digest))
        try:
            blob.delete_blob(etag=kept.etag, match_condition=MatchConditions.IfNotModified)
        except (ResourceModifiedError, ResourceNotFoundError):
            return False
        return True

    def reference(self, kind: ArtifactKind, digest: str) -> BlobReference:
        """Name the blob, without anything that opens it."""
        return BlobReference(f"{ARTIFACT_CONTAINER}/{blob_name(kind, digest)}")


def blob_name(kind: ArtifactKind, digest: str) -> str:
    """Return where in the artifacts' container the bytes are."""
    return f"{kind.name.lower()}s/{digest}.{kind.value}"
