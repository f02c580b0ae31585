"""Score Model's table for rows of a training file: their cells as they stand there, and what a model says of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from studio.engine.cells import Cell
from studio.engine.cross_validation import CrossValidated
from studio.engine.csv_file import CsvFile
from studio.engine.schema import ColumnType, Schema
from studio.engine.scored_columns import FOLDS, ScoredColumns
from studio.engine.table_file import ResultTable


def scored_rows(
    file: CsvFile, schema: Schema, mask: NDArray[np.bool_], scored: ScoredColumns, answers: NDArray[np.float64]
) -> ResultTable:
    """
    Return the rows that a mask chooses, with their scored columns.

    Args:
        mask: `n_rows` of the file.
        answers: For each chosen row, in the order of the file; `n_chosen × n_answers`.
    """
    rows = compress(_cells(file, schema), mask)
    cells = ([*row, *more] for row, more in zip(rows, scored.cells(answers.ravel().tolist()), strict=True))
    return ResultTable.of((*schema.columns.items(), *scored.columns), cells)


def fold_rows(
    file: CsvFile, schema: Schema, kept: NDArray[np.bool_] | None, scored: ScoredColumns, result: CrossValidated
) -> ResultTable:
    """
    Return every row, its fold first, and what the model that was trained without it says last.

    Args:
        kept: The rows of the file that there are answers to; None for all.
    """
    scores = scored.cells(result.answers.ravel().tolist())
    rows = _cells(file, schema) if kept is None else compress(_cells(file, schema), kept)
    numbered = zip(result.folds, rows, scores, strict=True)
    cells = ([str(fold), *row, *more] for fold, row, more in numbered)
    first = (FOLDS, ColumnType.INTEGER)
    return ResultTable.of((first, *schema.columns.items(), *scored.columns), cells)


def _cells(file: CsvFile, schema: Schema) -> Iterator[Sequence[Cell]]:
    """Yield the cells of each row in the order of the schema, None where one counts as missing."""
    places = [file.header.index(name) for name in schema.columns]
    missing = set(schema.missing)
    for _, row in file.rows():
        yield [None if row[at] in missing else row[at] for at in places]
