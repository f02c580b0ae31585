"""The data contract: what a training file must look like before training money is spent on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum

from shared.domain.task import Task

SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}


class Kind(Enum):
    """What a column holds."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"


class BadRows(Enum):
    """What becomes of rows that do not meet the contract."""

    REFUSE = "refuse"  # one such row quarantines the file
    SET_ASIDE = "set-aside"  # they go to quarantine alone; the others train


class Overlap(Enum):
    """What becomes of rows that are also in the holdout, where they would flatter every model that trains on them."""

    WARN = "warn"  # they train, and the ledger says how many
    STRIP = "strip"  # they are left out of the training set
    BLOCK = "block"  # one such row quarantines the file


@dataclass(frozen=True)
class Column:
    """
    One column of the contract.

    Attributes:
        values: The only values allowed; empty means any.
        required: Whether a missing value is a problem of its row.
        max_missing: Largest share of missing values in a file, 0 to 1.
    """

    name: str
    kind: Kind
    values: frozenset[str] = frozenset()
    required: bool = False
    max_missing: float = 1.0


@dataclass(frozen=True)
class Contract:
    """
    What a training file must hold.

    Attributes:
        columns: Every column, in any order.
        label: The column to be predicted: never missing, and as various as the task needs.
        min_rows: The least number of rows that meet the contract.
        missing: Cells that mean "no value".
        task: What is predicted.
        positive: The label's positive class; empty unless the task is two-class.
        separator: Character between columns; training sets are written with commas whatever it is.
        max_bad_share: With `SET_ASIDE`, the largest share of rows set aside; beyond it the file is refused.
    """

    columns: tuple[Column, ...]
    label: str
    min_rows: int = 1
    missing: frozenset[str] = frozenset({"", "?"})
    task: Task = Task.TWO_CLASS
    positive: str = ""
    separator: str = ","
    bad_rows: BadRows = BadRows.REFUSE
    max_bad_share: float = 0.05
    overlap: Overlap = Overlap.WARN

    @property
    def names(self) -> list[str]:
        """The columns' names, in the contract's order."""
        return [column.name for column in self.columns]

    @property
    def label_values(self) -> frozenset[str]:
        """The values that the label may have; empty where the contract does not say."""
        return next((column.values for column in self.columns if column.name == self.label), frozenset())

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that change with anything that decides over a file."""
        columns = [(c.name, c.kind.value, sorted(c.values), c.required, c.max_missing) for c in self.columns]
        rules = (
            self.label, self.min_rows, sorted(self.missing), self.task.value, self.positive, self.separator,
            self.bad_rows.value, self.max_bad_share, self.overlap.value,
        )  # fmt: skip
        return hashlib.sha256(repr((columns, rules)).encode()).hexdigest()[:12]
