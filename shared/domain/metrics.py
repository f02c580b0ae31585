"""
The evaluation that a training service writes (output2), and which way each metric points.

Columns are found by name. Source of names and order: docs/protocol.md, "Evaluate Model".
"""

from __future__ import annotations

import csv
import io
import math

from shared.errors import MetricsError

HIGHER_IS_BETTER = frozenset({"Accuracy", "Precision", "Recall", "F-Score", "AUC", "Training Log Loss"})
LOWER_IS_BETTER = frozenset({"Average Log Loss"})
KNOWN = HIGHER_IS_BETTER | LOWER_IS_BETTER


def parse_metrics(data: bytes) -> dict[str, float]:
    """
    Read output2: a header and one row for each scored data set, of which the first counts.

    Returns:
        Metric name → value; `Infinity` and `NaN` are understood, and left for the gate to refuse.

    Raises:
        MetricsError: No UTF-8, no header, no row, or a cell that is no number.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as unreadable:
        raise MetricsError(f"the metrics output is no CSV in UTF-8: {unreadable}") from unreadable
    if len(rows) < 2:
        raise MetricsError(f"the metrics output holds {len(rows)} line(s); a header and a row of values are needed")
    header, values = rows[0], rows[1]
    if len(header) != len(values):
        raise MetricsError(f"the metrics output has {len(header)} names and {len(values)} values")
    return {name.strip(): _number(name, cell) for name, cell in zip(header, values, strict=True)}


def is_usable(value: float | None) -> bool:
    """Whether a value can be held against a bound: present and finite."""
    return value is not None and math.isfinite(value)


def _number(name: str, cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise MetricsError(f"metric '{name}' of the metrics output is no number: '{cell[:40]}'") from None
