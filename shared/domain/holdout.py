"""The holdout: labelled rows that no model trains on, and the answers that endpoints give them."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np

from shared.domain.paired import Labels, Scores
from shared.domain.task import Task
from shared.errors import EvaluationError, ProtocolMismatch
from shared.wire import Cell, Table

PROBABILITY = "Scored Probabilities"
PREDICTION = "Scored Labels"
_CLASS = "Scored Probabilities for Class "


@dataclass(frozen=True)
class Holdout:
    """
    Rows to be scored, with what is true of them.

    Attributes:
        columns: Every column, the label among them.
        rows: n rows of cells; the label's cell is always None, so that no service can see it.
        labels: n booleans, True for the positive class.
    """

    columns: tuple[str, ...]
    rows: list[list[Cell]]
    labels: Labels

    def some(self, positions: list[int]) -> list[list[Cell]]:
        """Return the rows at these positions."""
        return [self.rows[position] for position in positions]


def parse_holdout(data: bytes, label: str, positive: str, *, limit: int | None = None) -> Holdout:
    """
    Read labelled rows.

    Args:
        data: CSV in UTF-8 with a header.
        limit: Read at most so many rows.

    Raises:
        EvaluationError: No UTF-8, no label column, no rows, or rows of uneven length.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as undecodable:
        raise EvaluationError(f"the holdout is not text in UTF-8 (byte {undecodable.start})") from undecodable
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if label not in header:
        raise EvaluationError(f"the holdout has no label column '{label}'; it has {', '.join(header) or 'no header'}")
    at = header.index(label)
    rows: list[list[Cell]] = []
    labels = []
    for row in filter(None, reader):
        if limit is not None and len(rows) == limit:
            break
        if len(row) != len(header):
            raise EvaluationError(f"holdout line {reader.line_num} has {len(row)} cells, the header {len(header)}")
        labels.append(row[at].strip() == positive)
        rows.append([None if column == at else cell for column, cell in enumerate(row)])
    if not rows:
        raise EvaluationError("the holdout has no rows")
    return Holdout(tuple(header), rows, np.asarray(labels, dtype=np.bool_))


def answers_of(scored: Table, task: Task) -> Scores:
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
        return np.asarray([[_number(cell) for cell in row] for row in zip(*columns, strict=True)], dtype=np.float64)
    column = PROBABILITY if task is Task.TWO_CLASS else PREDICTION
    return np.asarray([_number(cell) for cell in scored.column(column)], dtype=np.float64)


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


def _number(cell: Cell) -> float:
    try:
        return float(cell) if cell is not None else float("nan")
    except ValueError:
        return float("nan")
