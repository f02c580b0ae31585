"""
The metrics of each task: which way they point, which values they can take, what zero means; and how output2 is read.

Columns are found by name. Source of names and order: docs/protocol.md, "Evaluate Model".
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.task import Task
from shared.errors import MetricsError


@dataclass(frozen=True)
class Metric:
    """
    One metric of output2.

    Attributes:
        low: The least value it can take.
        high: The greatest value it can take.
        zero: What a value of zero says, in words.
    """

    name: str
    task: Task
    higher_is_better: bool
    low: float
    high: float
    zero: str

    @property
    def is_rate(self) -> bool:
        """Whether a hundredth of it is a percentage point, so that a default margin makes sense."""
        return (self.low, self.high) == (0.0, 1.0) and self.higher_is_better

    def is_possible(self, value: float) -> bool:
        """Whether a value is finite and in range."""
        return math.isfinite(value) and self.low <= value <= self.high


_END = math.inf
_TWO, _MULTI, _NUMBER = Task.TWO_CLASS, Task.MULTICLASS, Task.REGRESSION
_NONE_RIGHT, _NO_ERROR, _AS_GUESS = "nothing right", "no error", "no better than guessing the mean"
_ALL = (
    Metric("Accuracy", _TWO, True, 0, 1, _NONE_RIGHT),
    Metric("Precision", _TWO, True, 0, 1, "no positive call was right"),
    Metric("Recall", _TWO, True, 0, 1, "no positive row was found"),
    Metric("F-Score", _TWO, True, 0, 1, "no positive row was found"),
    Metric("AUC", _TWO, True, 0, 1, "every pair in the wrong order; 0.5 is chance"),
    Metric("Average Log Loss", _TWO, False, 0, _END, "certain and right on every row"),
    Metric("Training Log Loss", _TWO, True, -_END, 100, "no better than the base rate"),
    Metric("Overall accuracy", _MULTI, True, 0, 1, _NONE_RIGHT),
    Metric("Average accuracy", _MULTI, True, 0, 1, "every class always wrong"),
    Metric("Micro-averaged precision", _MULTI, True, 0, 1, _NONE_RIGHT),
    Metric("Macro-averaged precision", _MULTI, True, 0, 1, _NONE_RIGHT),
    Metric("Micro-averaged recall", _MULTI, True, 0, 1, _NONE_RIGHT),
    Metric("Macro-averaged recall", _MULTI, True, 0, 1, _NONE_RIGHT),
    Metric("Negative Log Likelihood", _NUMBER, False, -_END, _END, "nothing in particular: it may be negative"),
    Metric("Mean Absolute Error", _NUMBER, False, 0, _END, _NO_ERROR),
    Metric("Root Mean Squared Error", _NUMBER, False, 0, _END, _NO_ERROR),
    Metric("Relative Absolute Error", _NUMBER, False, 0, _END, _NO_ERROR + "; 1 is " + _AS_GUESS),
    Metric("Relative Squared Error", _NUMBER, False, 0, _END, _NO_ERROR + "; 1 is " + _AS_GUESS),
    Metric("Coefficient of Determination", _NUMBER, True, -_END, 1, _AS_GUESS + "; it may be negative"),
)
_FOLD = "Fold Number"
_DEVIATION = "Standard Deviation"
METRICS = {metric.name: metric for metric in _ALL}


def metrics_of(task: Task) -> list[str]:
    """Return the names of a task's metrics, in the order of output2."""
    return [metric.name for metric in _ALL if metric.task is task]


def parse_metrics(data: bytes) -> dict[str, float]:
    """
    Read output2: a header and one row for each scored data set, of which the first counts; or Cross-Validate Model's
    rows for each fold, of which the mean counts.

    Returns:
        Metric name → value; `Infinity` and `NaN` are understood, and left for the gate to refuse. A text in a column
        that is no metric (`Model`, where Evaluate Model compares two) is left out.

    Raises:
        MetricsError: No UTF-8, no header, no row, no mean of folds, a name twice, no number, or a metric's cell that is
            none.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as unreadable:
        raise MetricsError(f"the metrics output is no CSV in UTF-8: {unreadable}") from unreadable
    if len(rows) < 2:
        raise MetricsError(f"the metrics output holds {len(rows)} line(s); a header and a row of values are needed")
    header, values = [name.strip() for name in rows[0]], _judged_row(rows)
    if len(header) != len(values):
        raise MetricsError(f"the metrics output has {len(header)} names and {len(values)} values")
    if len(set(header)) < len(header):
        raise MetricsError(f"the metrics output has a name twice: {', '.join(header)}")
    read = {name: _number(name, cell) for name, cell in zip(header, values, strict=True)}
    metrics = {name: value for name, value in read.items() if value is not None}
    if not metrics:
        raise MetricsError(f"the metrics output holds no number: {', '.join(values)[:80]}")
    return metrics | _standard_errors(rows, metrics)


def standard_error_of(name: str) -> str:
    """Return the name under which the standard error of a metric's folds stands."""
    return f"{name} Standard Error"


def _standard_errors(rows: list[list[str]], metrics: Mapping[str, float]) -> dict[str, float]:
    """Return how sure the mean of the folds is, where there are folds: their standard deviation over √folds."""
    header = [name.strip() for name in rows[0]]
    at = header.index(_FOLD) if _FOLD in header else None
    folds = [] if at is None else [row for row in rows[1:] if len(row) > at and row[at].strip().isdecimal()]
    spread = [] if at is None else [row for row in rows[1:] if len(row) > at and row[at].strip() == _DEVIATION]
    if len(folds) < 2 or not spread or len(spread[0]) != len(header):
        return {}
    read = {name: _number(name, cell) for name, cell in zip(header, spread[0], strict=True) if name in METRICS}
    return {
        standard_error_of(name): value / math.sqrt(len(folds))
        for name, value in read.items()
        if name in metrics and is_usable(value) and value is not None
    }


def _judged_row(rows: list[list[str]]) -> list[str]:
    header = [name.strip() for name in rows[0]]
    if _FOLD not in header:
        return rows[1]
    at = header.index(_FOLD)
    mean = next((row for row in rows[1:] if len(row) > at and row[at].strip() == "Mean"), None)
    if mean is None:
        raise MetricsError(f"the metrics output has a row for each fold ('{_FOLD}'), and none for their mean")
    return mean


def is_usable(value: float | None) -> bool:
    """Whether a value can be held against a bound: present and finite."""
    return value is not None and math.isfinite(value)


def _number(name: str, cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        if name not in METRICS:
            return None
        raise MetricsError(f"metric '{name}' of the metrics output is no number: '{cell[:40]}'") from None
