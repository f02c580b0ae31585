"""The holdout: labelled rows that no model trains on, and how endpoints' answers to them become comparable."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from shared.domain.gate import Fault, GateRule
from shared.domain.measuring.answers import answers_of, classes_of, number
from shared.domain.measuring.measures import Answers, Truth
from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task
from shared.errors import EvaluationError
from shared.wire import Cell, Table

_MOST_SLICES = 50  # of one column


@dataclass(frozen=True)
class Holdout:
    """
    Rows to be scored, with what is true of them.

    Attributes:
        columns: The columns that endpoints are asked with, the label among them.
        rows: n rows of their cells; the label's cell is always None, so that no service can see it.
        labels: n cells of the label.
        others: Columns that endpoints never see: name → n cells.
    """

    columns: tuple[str, ...]
    rows: list[list[Cell]]
    labels: list[str]
    others: dict[str, list[str]] = field(default_factory=dict)

    def some(self, positions: list[int]) -> list[list[Cell]]:
        """Return the rows at these positions."""
        return [self.rows[position] for position in positions]

    def cells(self, column: str) -> list[str]:
        """
        Return a column's cells.

        Raises:
            EvaluationError: There is no such column.
        """
        if column in self.others:
            return self.others[column]
        if column not in self.columns:
            known = ", ".join((*self.columns, *self.others))
            said = f"the holdout has no column '{column}', which the gate names; it has {known}"
            raise _unfit(Fault.GATE_COLUMN_MISSING, said)
        at = self.columns.index(column)
        return [label if row[at] is None else str(row[at]) for row, label in zip(self.rows, self.labels, strict=True)]


def parse_holdout(
    data: bytes, label: str, *, limit: int | None = None, contract: Collection[str] | None = None
) -> Holdout:
    """
    Read labelled rows.

    Args:
        data: CSV in UTF-8 with a header.
        limit: Read at most so many rows.
        contract: Columns that endpoints may be asked with; all when None.

    Raises:
        EvaluationError: No UTF-8, no CSV, no label column, no rows, or rows of uneven length.
    """
    try:
        return _parsed(data.decode("utf-8-sig"), label, limit, contract)
    except UnicodeDecodeError as undecodable:
        said = f"the holdout is not text in UTF-8 (byte {undecodable.start})"
        raise _unfit(Fault.HOLDOUT_UNREADABLE, said) from undecodable
    except csv.Error as unreadable:
        raise _unfit(Fault.HOLDOUT_UNREADABLE, f"the holdout is no CSV: {unreadable}") from unreadable


def _parsed(text: str, label: str, limit: int | None, contract: Collection[str] | None) -> Holdout:
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    if label not in header:
        said = f"the holdout has no label column '{label}'; it has {', '.join(header) or 'no header'}"
        raise _unfit(Fault.HOLDOUT_UNREADABLE, said)
    label_at = header.index(label)
    asked = [at for at, name in enumerate(header) if contract is None or name in contract]
    kept = {name: at for at, name in enumerate(header) if at not in asked}
    holdout = Holdout(tuple(header[at] for at in asked), [], [], {name: [] for name in kept})
    for row in filter(None, reader):
        if limit is not None and len(holdout.rows) == limit:
            break
        if len(row) != len(header):
            said = f"holdout line {reader.line_num} has {len(row)} cells, the header {len(header)}"
            raise _unfit(Fault.HOLDOUT_UNREADABLE, said)
        holdout.labels.append(row[label_at].strip())
        holdout.rows.append([None if at == label_at else row[at] for at in asked])
        for name, at in kept.items():
            holdout.others[name].append(row[at].strip())
    if not holdout.rows:
        raise _unfit(Fault.HOLDOUT_EMPTY, "the holdout has no rows")
    return holdout


def pair(
    holdout: Holdout,
    task: Task,
    positive: str,
    rule: GateRule,
    champion: Answered,
    challenger: Answered,
    anchor: Answered | None = None,
    *,
    is_anchor_approved: bool = True,
    known: Collection[str] = (),
) -> PairedScores:
    """
    Lay two models' answers beside what is true.

    Args:
        is_anchor_approved: Whether a person approved the anchor; else it is the published model.
        known: The values that a label may have; empty where that is not declared.

    Raises:
        EvaluationError: A label fits no class, or the gate names a column that is not there.
    """
    _check_known(holdout.labels, known)
    models = [champion, challenger] + ([anchor] if anchor else [])
    classes = sorted({name for model in models for name in model.classes})
    spread = [_over(classes, model) if task is Task.MULTICLASS else model.answers for model in models]
    return PairedScores(
        labels=_truth(holdout.labels, task, positive, classes),
        champion=spread[0],
        challenger=spread[1],
        task=task,
        groups=_positions(holdout.cells(rule.group)) if rule.group else None,
        slices=_slices(holdout, rule.slices.columns),
        anchor=spread[2] if anchor else None,
        anchor_name="last approved model" if is_anchor_approved else "published model",
    )


@dataclass(frozen=True)
class Answered:
    """One model's answers to the holdout; `classes` names the columns of a multi-class model's."""

    answers: Answers
    classes: tuple[str, ...] = ()


def answered(scored: Table, task: Task) -> Answered:
    """
    Read an endpoint's answers.

    Raises:
        ProtocolMismatch: A column is missing.
    """
    return Answered(answers_of(scored, task), classes_of(scored) if task is Task.MULTICLASS else ())


def _truth(labels: Sequence[str], task: Task, positive: str, classes: Sequence[str]) -> Truth:
    if task is Task.TWO_CLASS:
        _check_two(labels, positive)
        return np.asarray([label == positive for label in labels], dtype=np.bool_)
    if task is Task.REGRESSION:
        return np.asarray([number(label) for label in labels], dtype=np.float64)
    place = {name: at for at, name in enumerate(classes)}
    strange = next((label for label in labels if label not in place), None)
    if strange is not None:
        said = f"the holdout's label '{strange[:40]}' is no class of either model ({', '.join(classes)})"
        raise _unfit(Fault.LABEL_UNKNOWN, said)
    return np.asarray([place[label] for label in labels], dtype=np.int64)


def _check_known(labels: Sequence[str], known: Collection[str]) -> None:
    strange = Counter(label for label in labels if label not in known) if known else None
    if strange:
        label, count = min(strange.items(), key=lambda item: (-item[1], item[0]))
        said = f"the holdout's label '{label[:40]}' ({count} of {len(labels)} rows) is none of the contract's values"
        raise _unfit(Fault.LABEL_UNKNOWN, f"{said} {', '.join(sorted(known))}")


def _check_two(labels: Sequence[str], positive: str) -> None:
    """Refuse labels of which one would count as negative without being the negative class."""
    counts = Counter(labels)
    if "" in counts:
        raise _unfit(Fault.LABEL_UNKNOWN, f"{counts['']} of the holdout's {len(labels)} labels are empty")
    others = sorted((name for name in counts if name != positive), key=lambda name: (counts[name], name))
    if len(others) > 1:
        said = (
            f"the holdout has labels of more than two classes: '{positive[:40]}' is positive, and {len(others)} others"
        )
        raise _unfit(Fault.LABEL_UNKNOWN, f"{said} are not, such as '{others[0][:40]}' ({counts[others[0]]} rows)")


def _over(classes: Sequence[str], model: Answered) -> Answers:
    """Spread a model's probabilities over all classes; one that it does not know has none."""
    spread = np.zeros((len(model.answers), len(classes)))
    for at, name in enumerate(model.classes):
        spread[:, classes.index(name)] = model.answers[:, at]
    return spread


def _positions(cells: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.asarray(cells), return_inverse=True)[1].astype(np.int64)


def _slices(holdout: Holdout, columns: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    slices: dict[str, NDArray[np.bool_]] = {}
    for column in columns:
        cells = np.asarray([cell.strip() for cell in holdout.cells(column)])
        values = np.unique(cells)
        if len(values) > _MOST_SLICES:
            said = f"column '{column}' has {len(values)} values in the holdout; `slices.columns` takes at most"
            raise _unfit(Fault.TOO_MANY_SLICES, f"{said} {_MOST_SLICES}")
        slices |= {f"{column}={value}": cells == value for value in values}
    return slices


def _unfit(fault: Fault, said: str) -> EvaluationError:
    return EvaluationError(f"{fault.value}: {said}")
