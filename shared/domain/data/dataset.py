"""A dataset: one version of one training file, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

UNDECLARED = "(no model)"  # stands for the model of files in a folder that none has


class DatasetState(Enum):
    """Where a file stands in the ledger."""

    SEEN = "SEEN"  # entered, not yet read to its end
    ACCEPTED = "ACCEPTED"  # meets the contract; trains in the run named, or in the next scheduled one
    DUPLICATE = "DUPLICATE"  # the same bytes trained this model before
    QUARANTINED = "QUARANTINED"  # does not meet the contract
    REPLACED = "REPLACED"  # another version of the blob came, or it was removed, before this one was read
    IGNORED = "IGNORED"  # no training data: a marker, a hidden file, a folder

    @property
    def is_settled(self) -> bool:
        """Whether the ledger knows what became of the file."""
        return self is not DatasetState.SEEN


@dataclass(frozen=True)
class Ask:
    """
    What a person asked of a file.

    Attributes:
        what: `retrain` or `release`.
        run_id: The run that came of it; empty while none did.
        run_before: The run that the file was on when it was asked.
    """

    what: str
    by: str
    reason: str
    at: datetime
    run_id: str = ""
    run_before: str = ""


@dataclass(frozen=True)
class Dataset:
    """
    One row of the ledger.

    Rows read = `good` + `bad`; of the good ones `stripped` are left out of the training set.

    Attributes:
        key: Of container, name and ETag: the same version always has the same key.
        seen_by: How the app came to know of it: `event`, `marker`, `sweep` or `request`.
        rows: Data rows read.
        good: Rows that meet the contract.
        bad: Rows that do not: set aside, or the reason why the file is quarantined.
        overlap: Good rows that are also in the holdout.
        holdout: Version of the holdout that they were looked for in: hash of its bytes, in hex; empty where in none.
        stripped: Of these, the rows left out of the training set.
        contract: Fingerprint of the contract that the file was held against.
        sha256: Of the bytes, in hex; empty until they were read.
        problems: What the contract objects to, as plain JSON.
        asks: What people asked of it.
        was_open: Whether it was open when the row was read.
        version: The row's ETag as it was read.
    """

    key: str
    model: str
    container: str
    name: str
    etag: str
    size: int
    seen_at: datetime
    seen_by: str = "event"
    state: DatasetState = DatasetState.SEEN
    rows: int = 0
    good: int = 0
    bad: int = 0
    overlap: int = 0
    holdout: str = ""
    stripped: int = 0
    contract: str = ""
    sha256: str = ""
    reason: str = ""
    problems: tuple[dict[str, Any], ...] = ()
    duplicate_of: str = ""
    run_id: str = ""
    settled_at: datetime | None = None
    asks: tuple[Ask, ...] = ()
    was_open: bool = field(default=False, compare=False)
    version: str = field(default="", compare=False)

    @property
    def path(self) -> str:
        """`container/name`."""
        return f"{self.container}/{self.name}"

    @property
    def waits(self) -> bool:
        """Whether it was accepted and no run includes it yet."""
        return self.state is DatasetState.ACCEPTED and not self.run_id

    @property
    def pending_ask(self) -> Ask | None:
        """What a person asked last, where no run has come of it yet."""
        return self.asks[-1] if self.asks and not self.asks[-1].run_id else None

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done with it."""
        return not self.state.is_settled or self.waits

    @property
    def quarantine(self) -> str:
        """Where its reasons (`.json`) and the rows set aside (`.csv`) lie below the quarantine, without the ending."""
        return f"{self.name}.{self.key[:8]}"


def is_no_data(name: str) -> bool:
    """Whether a blob's name says that it holds no training data: markers such as `_SUCCESS`, and hidden files."""
    return name.rpartition("/")[2].startswith(("_", "."))


def is_table(name: str) -> bool:
    """Whether a blob's name ends as a training service wants it of data: it goes by the name, not by what is inside."""
    return name.lower().endswith((".csv", ".tsv"))


def dataset_key(container: str, name: str, etag: str) -> str:
    """Return the key of one version of one blob: 32 hex digits."""
    return hashlib.sha256("\n".join((container, name, etag)).encode()).hexdigest()[:32]
