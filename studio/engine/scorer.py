"""
Score Model: rows of cells in, the same rows with what the model says of them out.

Made for a request path: what a model and a request's column names imply is worked out once; a row then costs a
look-up or a parse per feature, and the model's answer. Safe to use from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from studio.engine.cells import Cell, Reader, as_text, level_reader, number_reader
from studio.engine.errors import InputMismatch, InputParseError, shown
from studio.engine.model_file import ModelFile, ModelFileError
from studio.engine.model_section import predictor
from studio.engine.schema import ColumnType, Schema

__all__ = ["InputMismatch", "InputParseError", "ModelFileError", "Scorer"]


@dataclass(frozen=True)
class _Plan:
    """Where, in rows sent under `columns`, the features and the echoed cells are; -1 is the label that was left out."""

    columns: tuple[str, ...]
    features: tuple[int, ...]
    echo: Callable[[Sequence[Cell]], tuple[Cell, ...]]


class Scorer:
    """A loaded model; `input_columns` and `output_columns` are pairs of a name and the protocol's name of its type."""

    def __init__(self, model: ModelFile) -> None:
        self.model = model
        self.input_columns = _wire_columns(model.schema.columns.items())
        self.output_columns = _wire_columns(model.output_columns)
        self._predict = predictor(model.model).predict
        self._scored_cells = model.scored.cells
        self._readers = [_reader(model, name) for name in model.schema.features]
        self._plan = _plan(model.schema, tuple(model.schema.columns))

    @classmethod
    def load(cls, data: bytes) -> Scorer:
        """
        Load the bytes of a `.ilearner`.

        Raises:
            ModelFileError: They are not a model that is safe to load.
            LibraryMissing: LightGBM or the OpenMP runtime is not installed.
        """
        return cls(ModelFile.read(data))

    def score(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[list[Cell]]:
        """
        Score a table.

        Args:
            columns: The names of a row's cells, in any order; the label column may be left out.
            rows: Lists of texts, numbers, booleans and None.

        Returns:
            For each row its cells as text, in the order of `output_columns`; None where one is missing.

        Raises:
            InputMismatch: A column is missing, unknown or there twice, or a row has another number of cells.
            InputParseError: A cell cannot be read; names row and column.
        """
        plan = self._plan_for(tuple(columns))
        texts = [_row_texts(plan, number, row) for number, row in enumerate(rows, 1)]
        features = [self._features(plan, number, row) for number, row in enumerate(texts, 1)]
        scored, echo = self._scored_cells(self._predict(features)), plan.echo
        return [[*echo(row), *cells] for row, cells in zip(texts, scored, strict=True)]

    def _plan_for(self, columns: tuple[str, ...]) -> _Plan:
        plan = self._plan
        if plan.columns != columns:  # callers seldom change the order of their columns
            plan = self._plan = _plan(self.model.schema, columns)
        return plan

    def _features(self, plan: _Plan, number: int, row: list[Cell]) -> list[float]:
        try:
            return [read(row[at]) for read, at in zip(self._readers, plan.features, strict=True)]
        except (KeyError, ValueError):
            raise self._parse_error(plan, number, row) from None

    def _parse_error(self, plan: _Plan, number: int, row: list[Cell]) -> InputParseError:
        names = self.model.schema.features
        at = next(i for i, at in enumerate(plan.features) if not _is_readable(self._readers[i], row[at]))
        kind, cell = self.model.schema.columns[names[at]], shown(row[plan.features[at]])
        problem = f"{cell} is {_EXPECTED[kind]}"
        return InputParseError(number, names[at], problem)


_EXPECTED = {
    ColumnType.NUMERIC: "not a number",
    ColumnType.INTEGER: "not a whole number",
    ColumnType.CATEGORICAL: "a level that training did not see, and this model does not allow unknown levels",
}


def _wire_columns(columns: Iterable[tuple[str, ColumnType]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind.wire_name) for name, kind in columns)


def _reader(model: ModelFile, name: str) -> Reader:
    schema = model.schema
    fill, kind = schema.fills.get(name), schema.columns[name]
    if kind.is_text:
        text = None if fill is None else str(fill)
        return level_reader(model.levels[name], schema.missing, text, allow_unknown=model.learner.allows_unknown_levels)
    number = None if fill is None else float(fill)
    return number_reader(schema.missing, number, whole=kind is ColumnType.INTEGER)


def _plan(schema: Schema, columns: tuple[str, ...]) -> _Plan:
    unknown = [name for name in columns if name not in schema.columns]
    missing = [name for name in schema.columns if name not in columns and name != schema.label]
    twice = sorted({name for name in columns if columns.count(name) > 1})
    problems = {"unknown": unknown, "missing": missing, "there more than once": twice}
    found = "; ".join(f"column(s) {shown(names)} {what}" for what, names in problems.items() if names)
    if found:
        raise InputMismatch(f"{found}; the input columns are {list(schema.columns)}")
    position = {name: at for at, name in enumerate(columns)}
    echo = itemgetter(*(position.get(name, -1) for name in schema.columns))
    return _Plan(columns, tuple(position[name] for name in schema.features), echo)


def _row_texts(plan: _Plan, number: int, row: Sequence[object]) -> list[Cell]:
    if not isinstance(row, list | tuple) or len(row) != len(plan.columns):
        found = f"{len(row)} cells" if isinstance(row, list | tuple) else shown(row)
        raise InputMismatch(f"row {number}: expected a list of {len(plan.columns)} cells, got {found}")
    try:
        "".join(row)  # the quickest way to see that every cell is a text already
        texts = list(row)
    except TypeError:
        texts = _converted(plan, number, row)
    texts.append(None)  # what the echo finds at -1
    return texts


def _converted(plan: _Plan, number: int, row: Sequence[object]) -> list[Cell]:
    texts = []
    for name, cell in zip(plan.columns, row, strict=True):
        try:
            texts.append(as_text(cell))
        except ValueError as problem:
            raise InputParseError(number, name, str(problem)) from problem
    return texts


def _is_readable(read: Reader, cell: Cell) -> bool:
    try:
        read(cell)
    except (KeyError, ValueError):
        return False
    return True
