"""
Clean Missing Data: which rows are whole enough to be used, and what stands in for a missing cell of the others.

What stands in is found from rows that train, and from no others: a model may know nothing of those that measure it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from studio.engine.arrow_columns import ABSENT, codes_of, numbers_of
from studio.engine.errors import ModuleError
from studio.engine.features import Features
from studio.engine.schema import ColumnType, MissingRule, Schema

_MODULE = "Clean Missing Data"
_TOO_FEW_ROWS, _ALL_MISSING, _LIBRARY = 21, 80, 1000  # Studio's module error numbers


def complete_rows(columns: Sequence[str], table: Any) -> NDArray[np.bool_]:
    """
    Return which rows of an Arrow table have a value in each of some columns.

    Raises:
        ModuleError: No row has.
    """
    complete = np.ones(table.num_rows, np.bool_)
    for name in columns:
        complete &= ~_gaps(table.column(name))
    if not complete.any():
        problem = f"no row of the file has a value in each of the column(s) {list(columns)}"
        raise ModuleError(_MODULE, _TOO_FEW_ROWS, f"{problem}; add rows, or do not remove those without")
    return complete


def found_fills(schema: Schema, features: Features) -> dict[int, float]:
    """
    Find what stands in for a missing value by the rules of a schema: the feature, by its position.

    Args:
        features: Of the rows that train.

    Raises:
        ModuleError: A column has no value in any of these rows.
    """
    return {at: _found(schema, at, rule, features.column(at)) for at, rule in schema.fill_rules.items()}


def settled(schema: Schema, fills: Mapping[int, float], levels: Mapping[str, Sequence[str]]) -> Schema:
    """Return a schema in which the values that were found stand in place of the rules by which they were."""
    names = schema.features
    found = {names[at]: levels[names[at]][int(fill)] if names[at] in levels else fill for at, fill in fills.items()}
    rules = dict.fromkeys(schema.demanded, MissingRule.REMOVE_ROW)
    return replace(schema, fills={**schema.fills, **found}, rules=rules)


def _gaps(column: Any) -> NDArray[np.bool_]:
    if pa.types.is_dictionary(column.type):
        gaps: NDArray[np.bool_] = np.concatenate(codes_of(column)[1]) == ABSENT
    else:
        gaps = np.isnan(np.concatenate(numbers_of(column)))
    return gaps


def _found(schema: Schema, at: int, rule: MissingRule, values: NDArray[np.float64]) -> float:
    name = schema.features[at]
    known = values[~np.isnan(values)]
    if not len(known):
        problem = f"column '{name}' has no value in any of the {len(values)} row(s) that train, and so no {rule.value}"
        raise ModuleError(_MODULE, _ALL_MISSING, f"{problem}; name a value, or drop the column")
    with np.errstate(over="ignore"):
        found = _STATISTICS[rule](known)
    if not isfinite(found):
        problem = f"the {rule.value} of column '{name}' is beyond what a number can hold"
        raise ModuleError(_MODULE, _LIBRARY, f"{problem}; name a value, or another rule")
    return found if schema.columns[name] is ColumnType.NUMERIC else float(round(found))


def _mode(values: NDArray[np.float64]) -> float:
    """Return the value that is there most often; of several the smallest."""
    found, counts = np.unique(values, return_counts=True)
    return float(found[counts.argmax()])


_STATISTICS: Mapping[MissingRule, Callable[[NDArray[np.float64]], float]] = {
    MissingRule.MEAN: lambda values: float(values.mean()),
    MissingRule.MEDIAN: lambda values: float(np.median(values)),
    MissingRule.MODE: _mode,
}
