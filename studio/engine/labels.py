"""The label column of a training file: which classes there are, or which values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.arrow_columns import ABSENT, codes_of, numbers_of
from studio.engine.csv_file import CsvFile
from studio.engine.errors import ModuleError
from studio.engine.schema import Schema
from studio.engine.task import Task

_TRAIN = "Train Model"
_UNFIT, _TOO_FEW, _UNLABELLED = 23, 54, 134  # Studio's module error numbers
_MAX_CLASSES = 1000
_SHOWN_LABELS = 5


def read_labels(
    file: CsvFile, schema: Schema, task: Task, column: Any, kept: NDArray[np.bool_] | None = None
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """
    Return a label per row, and the classes: positions in them, or values where the task has none.

    Args:
        kept: The rows of the file that count; None for all.

    Raises:
        ModuleError: A label is missing, or they are too few or too many kinds.
    """
    if not task.has_classes:
        values = np.concatenate(numbers_of(column))
        _check_labelled(file, schema, np.isnan(values), kept)
        return values if kept is None else values[kept], ()
    found, pieces = codes_of(column, kept)
    codes = np.concatenate(pieces)
    _check_labelled(file, schema, codes == ABSENT, kept)
    classes = _two_classes(found, schema) if task is Task.TWO_CLASS else _classes(found, schema)
    positions = np.array([classes.index(label) for label in found], np.int32)
    return positions[codes if kept is None else codes[kept]], classes


def _check_labelled(file: CsvFile, schema: Schema, missing: NDArray[np.bool_], kept: NDArray[np.bool_] | None) -> None:
    unlabelled = np.flatnonzero(missing if kept is None else missing & kept)
    if len(unlabelled):
        line = file.line_of(int(unlabelled[0]))
        problem = f"label column '{schema.label}' is empty in {len(unlabelled)} row(s), first on line {line}"
        raise ModuleError(_TRAIN, _UNLABELLED, f"{problem}; label or remove them")


def _two_classes(found: Sequence[str], schema: Schema) -> tuple[str, ...]:
    if len(found) != 2:
        raise _wrong_number(found, schema, "2 are needed")
    positive = schema.positive_label or _usual_positive(found)
    if positive not in found:
        problem = f"label column '{schema.label}' holds {sorted(found)} and never the positive label '{positive}'"
        raise ModuleError(_TRAIN, _UNFIT, problem)
    return *(label for label in found if label != positive), positive


def _usual_positive(labels: Sequence[str]) -> str:
    """Choose as Studio did. Source: docs/protocol.md."""
    return next((label for label in labels if label.lower() in ("true", "1")), max(labels))


def _classes(found: Sequence[str], schema: Schema) -> tuple[str, ...]:
    if not 2 <= len(found) <= _MAX_CLASSES:
        raise _wrong_number(found, schema, f"2 to {_MAX_CLASSES} are needed")
    return tuple(sorted(found))


def _wrong_number(found: Sequence[str], schema: Schema, needed: str) -> ModuleError:
    shown = ", ".join(repr(label[:40]) for label in sorted(found)[:_SHOWN_LABELS])
    problem = f"label column '{schema.label}' has {len(found)} different label(s) ({shown}) where {needed}"
    return ModuleError(_TRAIN, _UNFIT if len(found) > 2 else _TOO_FEW, problem)
