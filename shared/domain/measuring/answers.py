"""What a scoring endpoint answered, as numbers, for each task."""

from __future__ import annotations

import numpy as np

from shared.domain.measuring.measures import Answers
from shared.domain.task import Task
from shared.errors import ProtocolMismatch
from shared.wire import Cell, Table

PROBABILITY = "Scored Probabilities"
PREDICTION = "Scored Labels"
MEAN = "Scored Label Mean"  # of a learner that also says how sure it is: Decision Forest Regression
_CLASS = "Scored Probabilities for Class "


def answers_of(scored: Table, task: Task) -> Answers:
    """
    Read what an endpoint answered; a cell that is no number becomes NaN.

    Returns:
        Two-class: n probabilities of the positive class. Multiclass: n rows of k class probabilities, in the order of
        `classes_of`. Regression: n predictions.

    Raises:
        ProtocolMismatch: The answer has no such column.
    """
    if task is Task.MULTICLASS:
        columns = [scored.column(f'{_CLASS}"{name}"') for name in classes_of(scored)]
        return np.asarray([[number(cell) for cell in row] for row in zip(*columns, strict=True)], dtype=np.float64)
    number_column = MEAN if MEAN in scored.columns else PREDICTION
    column = PROBABILITY if task is Task.TWO_CLASS else number_column
    return np.asarray([number(cell) for cell in scored.column(column)], dtype=np.float64)


def classes_of(scored: Table) -> tuple[str, ...]:
    """
    Return the classes that a multi-class endpoint gives probabilities for, sorted.

    Raises:
        ProtocolMismatch: The answer has no such column.
    """
    names = tuple(sorted(name[len(_CLASS) + 1 : -1] for name in scored.columns if name.startswith(_CLASS)))
    if not names:
        raise ProtocolMismatch("scored columns", f"columns named '{_CLASS}\"X\"'", list(scored.columns))
    return names


def number(cell: Cell) -> float:
    """Read a cell; NaN where it is no number."""
    try:
        return float(cell) if cell is not None else float("nan")
    except ValueError:
        return float("nan")
