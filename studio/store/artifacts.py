"""Experiments and models, each kept under the SHA-256 of its bytes: written once, never changed, shared."""

from __future__ import annotations

import hashlib
from enum import Enum

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.wire import BlobReference


class ArtifactKind(Enum):
    """What the bytes are; the value is the blob's extension."""

    EXPERIMENT = "toml"
    MODEL = "ilearner"


class ArtifactMissing(Exception):
    """A record names bytes that the storage account no longer holds, or holds altered."""

    def __init__(self, kind: ArtifactKind, digest: str) -> None:
        self.kind, self.digest = kind, digest
        super().__init__(f"the {kind.name.lower()} {digest[:12]}… is missing from storage or was altered there")


class Artifacts:
    """Puts and gets bytes by digest (64 lower-case hex digits)."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def put(self, kind: ArtifactKind, data: bytes) -> str:
        """Keep `data` and return its digest; equal bytes are kept once."""
        digest = hashlib.sha256(data).hexdigest()
        try:
            self._container.upload_blob(_blob_name(kind, digest), data, overwrite=False)
        except ResourceExistsError:
            return digest
        return digest

    def get(self, kind: ArtifactKind, digest: str) -> bytes:
        """
        Return the bytes kept under `digest`.

        Raises:
            ArtifactMissing: There are none, or they no longer give that digest.
        """
        try:
            data = self._container.download_blob(_blob_name(kind, digest)).readall()
        except ResourceNotFoundError:
            raise ArtifactMissing(kind, digest) from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise ArtifactMissing(kind, digest)
        return data

    def reference(self, kind: ArtifactKind, digest: str) -> BlobReference:
        """Name the blob, without anything that opens it."""
        return BlobReference(f"{self._container.container_name}/{_blob_name(kind, digest)}")


def _blob_name(kind: ArtifactKind, digest: str) -> str:
    return f"{kind.name.lower()}s/{digest}.{kind.value}"
