"""
A delimited text file: its header, and, when a fast reader refused it, the line and column at fault.

The slow look goes row by row through the standard library and stops at the first fault, in bounded memory.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from math import isinf
from pathlib import Path

from studio.engine.booleans import SPELLINGS
from studio.engine.errors import ModuleError, shown
from studio.engine.schema import ColumnType, Schema

_MODULE = "Import Data"
_DELIMITERS = {".csv": ",", ".nh.csv": ",", ".tsv": "\t", ".nh.tsv": "\t"}
_SHOWN_HEADER_CHARACTERS = 300


@dataclass(frozen=True)
class CsvFile:
    """A local file whose `header` names a column for each cell of a row, in file order."""

    path: Path
    delimiter: str
    has_header: bool
    header: tuple[str, ...]

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """
        Yield the line (from 1) and the cells of each row; empty lines are no rows.

        Raises:
            ModuleError: A row cannot be taken apart.
        """
        rows = _lines(self.path, self.delimiter)
        if self.has_header:
            next(rows, None)
        yield from rows

    def line_of(self, row: int) -> int:
        """Return the line on which the row with this number (from 0) begins."""
        return next(line for at, (line, _) in enumerate(self.rows()) if at == row)


def open_csv(path: Path, extension: str, schema: Schema, *, labelled: bool = True) -> CsvFile:
    """
    Look at a file's header.

    Args:
        extension: `.csv` or `.tsv`; `.nh.csv` or `.nh.tsv` for a file without a header row, whose columns then have the
            order of the schema.
        labelled: Whether the label column has to be there; it may be left out otherwise.

    Raises:
        ModuleError: The kind is unknown, the file is empty, or a column is missing or there twice.
    """
    kind = f".{extension.lower().lstrip('.')}"
    if kind not in _DELIMITERS:
        raise ModuleError(_MODULE, 49, f"a '{kind}' file cannot be read; use one of {', '.join(_DELIMITERS)}, .arff")
    has_header = ".nh." not in kind
    beginning = list(islice(_lines(path, _DELIMITERS[kind]), 2))
    if len(beginning) < (2 if has_header else 1):
        raise ModuleError(_MODULE, 3, f"the file has no rows{' below its header' if beginning else ''}")
    first = tuple(beginning[0][1])
    header = first if has_header else _unwritten_header(schema, len(first), labelled)
    check_header(header, schema, labelled=labelled)
    return CsvFile(path, _DELIMITERS[kind], has_header, header)


def first_fault(file: CsvFile, schema: Schema, numbers: Collection[str], otherwise: str) -> ModuleError:
    """
    Find what a person has to mend, reading from the top.

    Args:
        numbers: The columns whose cells have to be numbers or, by their type, true or false.
        otherwise: The fast reader's own words, for a fault that is not found here.
    """
    kinds = {name: schema.columns[name] for name in numbers}
    for line, cells in file.rows():
        problem = _row_problem(file, kinds, schema.missing, cells)
        if problem:
            number, text = problem
            return ModuleError(_MODULE, number, f"line {line}{text}")
    return ModuleError(_MODULE, 49, f"the file cannot be read: {otherwise}")


def _lines(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as text:
        reader = csv.reader(text, delimiter=delimiter)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as problem:
            raise ModuleError(_MODULE, 49, f"line {line} cannot be taken apart: {problem}") from problem


def check_header(header: Sequence[str], schema: Schema, *, labelled: bool) -> None:
    """Raise ModuleError where a column of the schema is missing or there twice; `labelled` as for `open_csv`."""
    needed = [name for name in schema.columns if labelled or name != schema.label]
    missing = [name for name in needed if name not in header]
    if missing:
        found = shown(list(header), _SHOWN_HEADER_CHARACTERS)
        raise ModuleError(_MODULE, 1, f"column(s) {missing} not found in the header, which has {found}")
    twice = [name for name, count in Counter(header).items() if count > 1 and name in schema.columns]
    if twice:
        raise ModuleError(_MODULE, 28, f"column(s) {twice} are in the header more than once; remove all but one")


def _unwritten_header(schema: Schema, n_cells: int, labelled: bool) -> tuple[str, ...]:
    """Name the columns of a file that does not: all of the schema, or all but the label where it may be left out."""
    is_left_out = not labelled and n_cells == len(schema.columns) - 1
    return tuple(name for name in schema.columns if not (is_left_out and name == schema.label))


def shape_problem(header: Sequence[str], cells: Sequence[str | None]) -> tuple[int, str] | None:
    """Return the module error number and the rest of the sentence, or None for a row that can be taken cell by cell."""
    if len(cells) != len(header):
        return 67, f": {len(cells)} cells instead of {len(header)}; quote a cell that holds the separator"
    for name, cell in zip(header, cells, strict=True):
        if cell is not None and not cell.isascii() and _is_undecodable(cell):
            return 49, f", column '{name}': the text is not UTF-8; save the file in that encoding"
    return None


def _row_problem(
    file: CsvFile, numbers: Mapping[str, ColumnType], missing: Sequence[str], cells: Sequence[str]
) -> tuple[int, str] | None:
    """Return the module error number and the rest of the sentence, or None for a row that is in order."""
    problem = shape_problem(file.header, cells)
    if problem:
        return problem
    for name, cell in zip(file.header, cells, strict=True):
        kind = numbers.get(name)
        if kind and cell not in missing and not _holds(kind, cell):
            return 42, f", column '{name}': {shown(cell)} is {_EXPECTED[kind]}; correct it or leave it empty"
    return None


_EXPECTED = {
    ColumnType.NUMERIC: "not a number",
    ColumnType.INTEGER: "not a whole number",
    ColumnType.BOOLEAN: "neither true nor false",
}


def _holds(kind: ColumnType, cell: str) -> bool:
    if kind is ColumnType.BOOLEAN:
        return cell in SPELLINGS
    try:
        value = float(cell)
    except ValueError:
        return False
    if "_" in cell or isinf(value):
        return False
    return kind is ColumnType.NUMERIC or value != value or value.is_integer()


def _is_undecodable(cell: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in cell)
