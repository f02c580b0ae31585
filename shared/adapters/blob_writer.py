"""Writes one blob piece by piece; it appears whole, or not at all."""

from __future__ import annotations

from uuid import uuid4

from azure.storage.blob import BlobBlock, BlobClient

_PIECE = 4 * 2**20  # bytes sent in one call


class BlobWriter:
    """Stages blocks as pieces come; `commit` makes them the blob."""

    def __init__(self, blob: BlobClient) -> None:
        self._blob, self._buffer = blob, bytearray()
        self._blocks: list[BlobBlock] = []
        self._own = uuid4().hex[:8]  # two writers of one blob must not mix their blocks

    def write(self, data: bytes) -> None:
        """Add bytes."""
        self._buffer += data
        if len(self._buffer) >= _PIECE:
            self._stage()

    def commit(self) -> str:
        """Make what was written the blob, replacing what was there, and return its ETag."""
        if self._buffer:
            self._stage()
        return str(self._blob.commit_block_list(self._blocks)["etag"]).strip('"')

    def _stage(self) -> None:
        block = f"{self._own}-{len(self._blocks):06}"
        self._blob.stage_block(block, bytes(self._buffer))
        self._blocks.append(BlobBlock(block))
        self._buffer.clear()
