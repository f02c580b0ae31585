"""Writes tables in the formats that a caller's file name asks for: `.csv`, `.tsv`, `.nh.csv`, `.nh.tsv`, `.arff`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TextIO

from studio.engine.cells import Cell
from studio.engine.errors import ModuleError
from studio.engine.schema import ColumnType
from studio.engine.scored_columns import Columns

EXTENSIONS = (".csv", ".tsv", ".nh.csv", ".nh.tsv", ".arff")

_EXPORT = "Export Data"
_UNREADABLE = 49  # Studio's module error number
_NOT_IN_ARFF = {None, "", "NaN", "Infinity", "-Infinity"}  # it has no spelling for them but the missing value


@dataclass(frozen=True)
class ResultTable:
    """A table that an experiment puts out: its columns, and its text as CSV with a header; a missing cell is empty."""

    columns: Columns
    csv: bytes

    @classmethod
    def of(cls, columns: Columns, rows: Iterable[Sequence[Cell]]) -> ResultTable:
        """Write rows of cells down."""
        text = io.StringIO(newline="")
        write_table(text, ".csv", columns, rows)
        return cls(columns, text.getvalue().encode())

    def encoded(self, extension: str) -> bytes:
        """Return the table in a format; raises ModuleError for one that is unknown."""
        if known_extension(extension) == ".csv":
            return self.csv
        rows = csv.reader(io.StringIO(self.csv.decode(), newline=""))
        next(rows)
        text = io.StringIO(newline="")
        write_table(text, extension, self.columns, rows)
        return text.getvalue().encode()


def write_table(
    stream: TextIO, extension: str, columns: Sequence[tuple[str, ColumnType]], rows: Iterable[Sequence[Cell]]
) -> None:
    """
    Write rows of cells as they come; a missing cell is empty, in `.arff` a `?`.

    Args:
        stream: Opened with `newline=""`.

    Raises:
        ModuleError: The format is unknown.
    """
    extension = known_extension(extension)
    if extension == ".arff":
        stream.writelines(_arff_header(columns))
        stream.writelines(",".join(map(_arff_cell, columns, row)) + "\n" for row in rows)
        return
    writer = csv.writer(stream, delimiter="\t" if extension.endswith(".tsv") else ",", lineterminator="\n")
    if not extension.startswith(".nh."):
        writer.writerow([name for name, _ in columns])
    writer.writerows(rows)


def known_extension(extension: str) -> str:
    """Return an extension in its usual spelling; raises ModuleError for one that is unknown."""
    usual = f".{extension.lower().lstrip('.')}"
    if usual not in EXTENSIONS:
        known = ", ".join(EXTENSIONS)
        raise ModuleError(_EXPORT, _UNREADABLE, f"a '{usual}' file cannot be written; use one of {known}")
    return usual


def _arff_header(columns: Sequence[tuple[str, ColumnType]]) -> Iterable[str]:
    yield "@RELATION results\n"
    for name, kind in columns:
        yield f"@ATTRIBUTE {_arff_text(name)} {'NUMERIC' if kind.is_number else 'STRING'}\n"
    yield "@DATA\n"


def _arff_cell(column: tuple[str, ColumnType], cell: Cell) -> str:
    _, kind = column
    if cell is None or cell in _NOT_IN_ARFF:
        return "?"
    return cell if kind.is_number else _arff_text(cell)


def _arff_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "'" + escaped.replace("\t", "\\t") + "'"
