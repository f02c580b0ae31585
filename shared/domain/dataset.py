"""A dataset: one version of one training file, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class DatasetState(Enum):
    """Where a file stands in the ledger."""

    SEEN = "SEEN"  # entered, not yet read to its end
    ACCEPTED = "ACCEPTED"  # meets the contract; trains in the run named, or in the next scheduled one
    DUPLICATE = "DUPLICATE"  # the same bytes trained this model before
    QUARANTINED = "QUARANTINED"  # does not meet the contract
    REPLACED = "REPLACED"  # another version of the blob came before this one was read

    @property
    def is_settled(self) -> bool:
        """Whether the ledger knows what became of the file."""
        return self is not DatasetState.SEEN


@dataclass(frozen=True)
class Dataset:
    """
    One row of the ledger.

    Attributes:
        key: Of container, name and ETag: the same version always has the same key.
        sha256: Of the bytes, in hex; empty until they were read.
        problems: What the contract objects to, as plain JSON.
        version: The row's ETag as it was read.
    """

    key: str
    model: str
    container: str
    name: str
    etag: str
    size: int
    seen_at: datetime
    state: DatasetState = DatasetState.SEEN
    rows: int = 0
    sha256: str = ""
    reason: str = ""
    problems: tuple[dict[str, Any], ...] = ()
    duplicate_of: str = ""
    run_id: str = ""
    settled_at: datetime | None = None
    version: str = field(default="", compare=False)

    @property
    def path(self) -> str:
        """`container/name`."""
        return f"{self.container}/{self.name}"


def dataset_key(container: str, name: str, etag: str) -> str:
    """Return the key of one version of one blob: 32 hex digits."""
    return hashlib.sha256("\n".join((container, name, etag)).encode()).hexdigest()[:32]
