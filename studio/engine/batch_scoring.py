"""Score Model over a whole file: rows stream from one file into another, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from studio.engine.arff import ArffFile
from studio.engine.cells import Cell, Row
from studio.engine.csv_file import check_header, open_csv, shape_problem
from studio.engine.errors import InputParseError, ModuleError
from studio.engine.schema import Schema
from studio.engine.score_settings import PLAIN, ScoreSettings
from studio.engine.scorer import Scorer
from studio.engine.table_file import known_extension, write_table

_MODULE = "Score Model"
_UNREADABLE = 42  # Studio's module error number
_ROWS_AT_ONCE = 4096

NumberedRows = Iterable[tuple[int, Sequence[Cell]]]


def score_file(
    scorer: Scorer,
    source: Path,
    extension: str,
    target: Path,
    target_extension: str,
    settings: ScoreSettings = PLAIN,
) -> int:
    """
    Score every row of a file; columns that the model does not know are left out.

    Args:
        extension: `.csv`, `.tsv`, `.arff`, or `.nh.csv` or `.nh.tsv` for a file without a header row, whose columns
            then have the order of the model's; the label column may be left out.
        target: Is written anew; after an error it holds the rows before it.
        target_extension: One of the same.
        settings: How answers are shown.

    Returns:
        How many rows there were.

    Raises:
        ModuleError: The file cannot be read, or a cell of it cannot be scored; names line and column.
    """
    target_extension = known_extension(target_extension)
    header, rows = _opened(source, extension, scorer.model.schema)
    model = scorer.model
    counted = _Counted(_scored(scorer, header, rows, settings))
    columns = settings.columns(model.output_columns, len(model.schema.columns))
    with target.open("w", newline="", encoding="utf-8") as stream:
        write_table(stream, target_extension, columns, counted)
    return counted.count


class _Counted:
    """An iterable that knows how many rows have gone through it."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _opened(source: Path, extension: str, schema: Schema) -> tuple[tuple[str, ...], NumberedRows]:
    if extension.lower().lstrip(".") != "arff":
        file = open_csv(source, extension, schema, labelled=False)
        return file.header, file.rows()
    arff = ArffFile(source)
    check_header(arff.header, schema, labelled=False)
    return arff.header, arff.rows()


def _scored(scorer: Scorer, header: Sequence[str], rows: NumberedRows, settings: ScoreSettings) -> Iterator[Row]:
    model = scorer.model
    known = [(at, name) for at, name in enumerate(header) if name in model.schema.columns]
    columns = [name for _, name in known]
    remaining = iter(rows)
    while part := list(islice(remaining, _ROWS_AT_ONCE)):
        for line, cells in part:
            problem = shape_problem(header, cells)
            if problem:
                raise ModuleError(_MODULE, problem[0], f"line {line}{problem[1]}")
        try:
            scored = scorer.score(columns, [[cells[at] for at, _ in known] for _, cells in part])
            yield from settings.rows(scored, len(model.schema.columns), model.classes)
        except InputParseError as error:
            line = part[error.row - 1][0]
            problem_text = f"line {line}, column '{error.column}': {error.problem}"
            raise ModuleError(_MODULE, _UNREADABLE, problem_text) from error
