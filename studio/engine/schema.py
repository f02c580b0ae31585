"""Columns of a data set, what counts as missing in them, and which of them a model learns from. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ColumnType(Enum):
    """What a column holds; the value is the spelling in a declaration."""

    NUMERIC = "Numeric"
    INTEGER = "Integer"
    CATEGORICAL = "Categorical"

    @property
    def wire_name(self) -> str:
        """The protocol's `ColumnTypes` spelling."""
        return _WIRE_NAMES[self]

    @property
    def is_text(self) -> bool:
        """Whether cells are category names rather than numbers."""
        return self is ColumnType.CATEGORICAL


_WIRE_NAMES = {ColumnType.NUMERIC: "Double", ColumnType.INTEGER: "Int32", ColumnType.CATEGORICAL: "String"}


@dataclass(frozen=True)
class Schema:
    """
    One data set's columns, in the order of the web service's input.

    `missing` are the texts that count as a missing cell in every column; `fills` gives the value that replaces one, per
    column (a column without a fill keeps its gaps, which the learner handles). `positive_label` None means: `true` or
    `1` where the data has it, else the alphabetically second label.
    """

    columns: Mapping[str, ColumnType]
    label: str
    positive_label: str | None = None
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)
    fills: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns a model learns from, in column order."""
        return tuple(name for name in self.columns if name != self.label and name not in self.dropped)

    @property
    def categorical_features(self) -> tuple[int, ...]:
        """Positions, within `features`, of the columns that hold category names."""
        return tuple(at for at, name in enumerate(self.features) if self.columns[name].is_text)
