"""
Reads ARFF, the table format of Weka, row by row in bounded memory.

Understood are comments, names and cells in either quotes with backslash escapes, and `?` for a missing cell. Sparse
rows are refused, and types of columns passed over: what a column holds is the experiment's to say.
Source: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from studio.engine.cells import Cell
from studio.engine.errors import ModuleError, shown

_MODULE = "Import Data"
_UNREADABLE, _EMPTY = 49, 3  # Studio's module error numbers
_MAX_LINE = 10_000_000
_QUOTED = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s'\"{{]+)\s*(\S.*)", re.IGNORECASE)
_CELL = re.compile(rf"\s*({_QUOTED}|[^,'\"]*?)\s*(,|$)")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class ArffFile:
    """An ARFF file whose `header` names its columns in order."""

    def __init__(self, path: Path) -> None:
        """
        Read the part above `@data`.

        Raises:
            ModuleError: The file has no such part, or a line of it cannot be read.
        """
        self._path = path
        names: list[str] = []
        for line, text in self._lines():
            if text.lower() == "@data":
                self.header = tuple(names)
                self._first_line = line + 1
                return
            found = _ATTRIBUTE.match(text)
            if found:
                names.append(_unquoted(found[1]))
            elif not text.lower().startswith("@relation"):
                raise _unreadable(line, f"expected @relation, @attribute or @data, got {shown(text)}")
        raise ModuleError(_MODULE, _EMPTY, "the file has no @data section")

    def rows(self) -> Iterator[tuple[int, list[Cell]]]:
        """
        Yield the line (from 1) and the cells of each row, None for a missing one.

        Raises:
            ModuleError: A row cannot be taken apart.
        """
        for line, text in self._lines():
            if line >= self._first_line:
                yield line, _cells(line, text)

    def _lines(self) -> Iterator[tuple[int, str]]:
        with self._path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            line = 0
            while text := file.readline(_MAX_LINE):
                line += 1
                if len(text) == _MAX_LINE:
                    raise _unreadable(line, f"it has more than {_MAX_LINE} characters")
                text = text.strip()
                if text and not text.startswith("%"):
                    yield line, text


@contextmanager
def as_csv(file: ArffFile, missing: str) -> Iterator[Path]:
    """
    Give the file as CSV for a while; a row stands on the line that it has in the ARFF file.

    Args:
        missing: What a missing cell becomes.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(file.header)
            written = 1  # the header stands where the file has @relation or a comment
            for line, cells in file.rows():
                text.write("\n" * (line - written - 1))
                writer.writerow([missing if cell is None else cell.replace("\n", " ") for cell in cells])
                written = line
        yield path


def _cells(line: int, text: str) -> list[Cell]:
    if text.startswith("{"):
        raise _unreadable(line, "sparse rows are not understood; write every cell")
    cells: list[Cell] = []
    at = 0
    while True:
        found = _CELL.match(text, at)
        if found is None:
            raise _unreadable(line, f"a quote is out of place after {shown(text[at : at + 40])}")
        cells.append(None if found[1] == "?" else _unquoted(found[1]))
        at = found.end()
        if not found[2]:
            return cells


def _unquoted(text: str) -> str:
    if text[:1] not in ("'", '"'):
        return text
    return _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])


def _unreadable(line: int, problem: str) -> ModuleError:
    return ModuleError(_MODULE, _UNREADABLE, f"line {line} cannot be taken apart: {problem}")
