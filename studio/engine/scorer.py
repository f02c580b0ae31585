"""
Score Model: rows of cells in, the same rows with what the model says of them out.

Made for a request path: what a model and a request's column names imply is worked out once. A few rows are read cell by
cell, many column by column, which takes a third of the time for each. Safe to use from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson

from studio.engine.cells import Cell, Reader, Row, as_text, boolean_reader, is_nan, level_reader, number_reader
from studio.engine.errors import InputMismatch, InputParseError, shown
from studio.engine.model_file import ModelFile, ModelFileError
from studio.engine.model_section import predictor
from studio.engine.schema import ColumnType, Schema

__all__ = ["InputMismatch", "InputParseError", "ModelFileError", "Scorer"]

_FEW_ROWS = 8  # up to about here, cell by cell is quicker
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class _Plan:
    """
    Where, in rows sent under `columns`, the features and the echoed cells are; -1 is the label that was left out.

    `demanded` are the cells without which a row is not scored, each with what tells that it is missing.
    """

    columns: tuple[str, ...]
    features: tuple[tuple[Reader, int], ...]
    demanded: tuple[tuple[Callable[[Cell], bool], int], ...]
    echo: Callable[[Sequence[Any]], tuple[Any, ...]]


class Scorer:
    """
    A loaded model.

    `input_columns` and `output_columns` are pairs of a name and the protocol's name of its type; `output_names` and
    `output_types` the latter as two lists of JSON, written once.
    """

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self.input_columns = _wire_columns(model.schema.columns.items())
        self.output_columns = _wire_columns(model.output_columns)
        self.output_names, self.output_types = map(_as_json, zip(*self.output_columns, strict=True))
        self._predictor = predictor(model.model)
        self._scored_cells = model.scored.cells
        self._readers = tuple(_reader(model, name) for name in model.schema.features)
        self._plan = self._planned(tuple(model.schema.columns))

    @classmethod
    def load(cls, data: bytes) -> Scorer:
        """
        Load the bytes of a `.ilearner`.

        Raises:
            ModelFileError: They are not a model that is safe to load.
            LibraryMissing: LightGBM or the OpenMP runtime is not installed.
        """
        return cls(ModelFile.read(data))

    def score(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[Row]:
        """
        Score a table.

        Args:
            columns: The names of a row's cells, in any order; the label column may be left out.
            rows: Lists of texts, numbers, booleans and None.

        Returns:
            For each row its cells as text, in the order of `output_columns`; None where one is missing, and in the
            scored columns of a row without a value that it must have.

        Raises:
            InputMismatch: A column is missing, unknown or there twice, or a row has another number of cells.
            InputParseError: A cell cannot be read; names row and column.
        """
        plan = self._plan_for(tuple(columns))
        texts = _texts(plan, rows)
        return self._scored_where_whole(plan, texts) if plan.demanded else self._scored(plan, texts)

    def _scored_where_whole(self, plan: _Plan, texts: Sequence[Row]) -> list[Row]:
        whole = [at for at, row in enumerate(texts) if not any(is_gap(row[cell]) for is_gap, cell in plan.demanded)]
        try:
            scored = self._scored(plan, [texts[at] for at in whole])
        except InputParseError as error:
            raise InputParseError(whole[error.row - 1] + 1, error.column, error.problem) from None
        nothing = (None,) * (len(self.output_columns) - len(self.input_columns))
        rows: list[Row] = [(*plan.echo((*row, None)), *nothing) for row in texts]
        for at, row in zip(whole, scored, strict=True):
            rows[at] = row
        return rows

    def _scored(self, plan: _Plan, texts: Sequence[Row]) -> list[Row]:
        if len(texts) <= _FEW_ROWS:
            return self._scored_by_rows(plan, texts)
        scored: list[Row] = []
        for start in range(0, len(texts), _ROWS_AT_ONCE):
            scored += self._scored_by_columns(plan, texts[start : start + _ROWS_AT_ONCE], start + 1)
        return scored

    def _scored_by_rows(self, plan: _Plan, texts: Sequence[Row]) -> list[Row]:
        features = [self._features(plan, number, row) for number, row in enumerate(texts, 1)]
        scored, echo = self._scored_cells(self._predictor.predict(features)), plan.echo
        return [(*echo((*row, None)), *cells) for row, cells in zip(texts, scored, strict=True)]

    def _scored_by_columns(self, plan: _Plan, texts: Sequence[Row], first: int) -> list[Row]:
        columns: list[Row] = list(zip(*texts, strict=True))
        try:
            features = [reader.many(columns[at]) for reader, at in plan.features]
        except (KeyError, ValueError):
            for number, row in enumerate(texts, first):
                self._features(plan, number, row)
            raise
        scored = self._scored_cells(self._predictor.predict_columns(features))
        columns.append((None,) * len(texts))
        return list(zip(*plan.echo(columns), *zip(*scored, strict=True), strict=True))

    def _plan_for(self, columns: tuple[str, ...]) -> _Plan:
        plan = self._plan
        if plan.columns != columns:  # callers seldom change the order of their columns
            plan = self._plan = self._planned(columns)
        return plan

    def _planned(self, columns: tuple[str, ...]) -> _Plan:
        schema = self.model.schema
        _check_columns(schema, columns)
        position = {name: at for at, name in enumerate(columns)}
        echo = itemgetter(*(position.get(name, -1) for name in schema.columns))
        places = (position[name] for name in schema.features)
        demanded = ((_gap_test(schema, name), position[name]) for name in schema.demanded if name != schema.label)
        return _Plan(columns, tuple(zip(self._readers, places, strict=True)), tuple(demanded), echo)

    def _features(self, plan: _Plan, number: int, row: Row) -> list[float]:
        try:
            return [reader.one(row[at]) for reader, at in plan.features]
        except (KeyError, ValueError):
            raise self._parse_error(plan, number, row) from None

    def _parse_error(self, plan: _Plan, number: int, row: Row) -> InputParseError:
        at = next(at for reader, at in plan.features if not _is_readable(reader, row[at]))
        name = plan.columns[at]
        problem = f"{shown(row[at])} is {_EXPECTED[self.model.schema.columns[name]]}"
        return InputParseError(number, name, problem)


_EXPECTED = {
    ColumnType.NUMERIC: "not a number",
    ColumnType.INTEGER: "not a whole number",
    ColumnType.BOOLEAN: "neither true nor false",
    ColumnType.CATEGORICAL: "a level that training did not see, and this model does not allow unknown levels",
}


def _wire_columns(columns: Iterable[tuple[str, ColumnType]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind.wire_name) for name, kind in columns)


def _as_json(texts: Sequence[str]) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(texts))


def _reader(model: ModelFile, name: str) -> Reader:
    schema = model.schema
    fill, kind = schema.fills.get(name), schema.columns[name]
    if kind.is_text:
        text = None if fill is None else str(fill)
        return level_reader(model.levels[name], schema.missing, text, allow_unknown=model.learner.allows_unknown_levels)
    number = None if fill is None else float(fill)
    if kind is ColumnType.BOOLEAN:
        return boolean_reader(schema.missing, number)
    return number_reader(schema.missing, number, whole=kind is ColumnType.INTEGER)


def _gap_test(schema: Schema, name: str) -> Callable[[Cell], bool]:
    missing = {*schema.missing, None}
    if not schema.columns[name].is_number:
        return missing.__contains__
    return lambda cell: cell in missing or is_nan(cell)


def _check_columns(schema: Schema, columns: tuple[str, ...]) -> None:
    unknown = [name for name in columns if name not in schema.columns]
    missing = [name for name in schema.columns if name not in columns and name != schema.label]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    problems = {"unknown": unknown, "missing": missing, "there more than once": twice}
    found = "; ".join(f"column(s) {shown(names)} {what}" for what, names in problems.items() if names)
    if found:
        raise InputMismatch(f"{found}; the input columns are {list(schema.columns)}")


def _texts(plan: _Plan, rows: Sequence[Sequence[object]]) -> Sequence[Row]:
    """Return rows whose cells are texts, after a look at their shape."""
    if not ({list, tuple}.issuperset(map(type, rows)) and {len(plan.columns)}.issuperset(map(len, rows))):
        raise _shape_problem(plan, rows)
    try:
        "".join(rows[0] if len(rows) == 1 else chain.from_iterable(rows))  # type: ignore[arg-type]  # are all texts?
    except TypeError:
        return [_converted(plan, number, row) for number, row in enumerate(rows, 1)]
    return rows  # type: ignore[return-value]


def _shape_problem(plan: _Plan, rows: Sequence[Sequence[object]]) -> InputMismatch:
    width = len(plan.columns)
    number, row = next((n, row) for n, row in enumerate(rows, 1) if not _is_row(row) or len(row) != width)
    found = f"{len(row)} cells" if _is_row(row) else shown(row)
    return InputMismatch(f"row {number}: expected a list of {width} cells, got {found}")


def _is_row(row: object) -> bool:
    return isinstance(row, list | tuple)


def _converted(plan: _Plan, number: int, row: Sequence[object]) -> list[Cell]:
    texts = []
    for name, cell in zip(plan.columns, row, strict=True):
        try:
            texts.append(as_text(cell))
        except ValueError as problem:
            raise InputParseError(number, name, str(problem)) from problem
    return texts


def _is_readable(reader: Reader, cell: Cell) -> bool:
    try:
        reader.one(cell)
    except (KeyError, ValueError):
        return False
    return True
