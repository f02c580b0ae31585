"""Columns of a data set, what counts as missing in them, and which of them a model learns from. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ColumnType(Enum):
    """What a column holds; the value is the spelling in a declaration."""

    NUMERIC = "Numeric"
    INTEGER = "Integer"
    BOOLEAN = "Boolean"
    CATEGORICAL = "Categorical"

    @property
    def wire_name(self) -> str:
        """The protocol's `ColumnTypes` spelling."""
        return _WIRE_NAMES[self]

    @property
    def is_text(self) -> bool:
        """Whether cells are category names; those of all other types are read as numbers, truth as 1 and 0."""
        return self is ColumnType.CATEGORICAL

    @property
    def is_number(self) -> bool:
        """Whether cells are written as numbers."""
        return self in (ColumnType.NUMERIC, ColumnType.INTEGER)


_WIRE_NAMES = {
    ColumnType.NUMERIC: "Double",
    ColumnType.INTEGER: "Int32",
    ColumnType.BOOLEAN: "Boolean",
    ColumnType.CATEGORICAL: "String",
}


class MissingRule(Enum):
    """What becomes of a missing cell where no value is named; the value is the spelling in a declaration."""

    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    REMOVE_ROW = "remove-row"


@dataclass(frozen=True)
class Schema:
    """
    One data set's columns, in the order of the web service's input.

    `missing` are the texts that count as a missing cell in every column; `fills` gives the value that replaces one, per
    column (a column without a fill keeps its gaps, which the learner handles). `rules` gives, per column, how a fill is
    found from training rows, or that rows without a value are left out; a trained model's schema has rules of the
    latter kind alone. `positive_label` None means: `true` or `1` where the data has it, else the alphabetically second
    label.
    """

    columns: Mapping[str, ColumnType]
    label: str
    positive_label: str | None = None
    dropped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)
    fills: Mapping[str, str | float] = field(default_factory=dict)
    rules: Mapping[str, MissingRule] = field(default_factory=dict)

    @property
    def features(self) -> tuple[str, ...]:
        """The columns a model learns from, in column order."""
        return tuple(name for name in self.columns if name != self.label and name not in self.dropped)

    @property
    def fill_rules(self) -> dict[int, MissingRule]:
        """The rules that training rows turn into fills, by positions within `features`."""
        rules = ((at, self.rules.get(name)) for at, name in enumerate(self.features))
        return {at: rule for at, rule in rules if rule not in (None, MissingRule.REMOVE_ROW)}

    @property
    def demanded(self) -> tuple[str, ...]:
        """The columns without whose value a row is left out."""
        return tuple(name for name, rule in self.rules.items() if rule is MissingRule.REMOVE_ROW)

    @property
    def categorical_features(self) -> tuple[int, ...]:
        """Positions, within `features`, of the columns that hold category names."""
        return tuple(at for at, name in enumerate(self.features) if self.columns[name].is_text)
