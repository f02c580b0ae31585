"""CSV as a stream: bytes become lines, lines become rows, in memory that does not grow with the file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate, islice

LINE_BYTES = 2**20  # a longer line is no line of a table
_PIECE = 2**18  # bytes cut into lines at once
_ROWS_AT_ONCE = 2000
_BOM = b"\xef\xbb\xbf"
_OTHER_FILES = {
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"PK\x03\x04": "an Excel workbook or ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"PAR1": "a Parquet file",
}

# What the CSV reader of the standard library says, in words that help.
_PLAIN = {
    "unexpected end of data": "a quote that is never closed",
    "expected after": "text after a closing quote",
    "new-line character seen in unquoted field": "a carriage return inside a line",
    "field larger than field limit": "a cell of more than 131072 characters, or a quote that is never closed",
}


class CsvProblem(Exception):
    """Text that is no CSV from here on; `line` counts from 1."""

    def __init__(self, line: int, found: str, expected: str, kind: str) -> None:
        self.line, self.found, self.expected, self.kind = line, found, expected, kind
        super().__init__(found)


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, none of them blank; `lines` says where each starts, `range` where every row is one line."""

    rows: list[list[str]]
    lines: Sequence[int]


class CsvRows:
    """
    The rows of one file.

    Args:
        chunks: The file's bytes in order: UTF-8 with or without BOM, lines ending in LF or CRLF.
        separator: The character between columns.
    """

    def __init__(self, chunks: Iterable[bytes], separator: str = ",") -> None:
        self._reader = csv.reader(_decoded_lines(chunks), delimiter=separator, strict=True)

    def header(self) -> list[str] | None:
        """
        Read the first row; None in an empty file.

        Raises:
            CsvProblem: The text is no CSV.
        """
        return next((batch.rows[0] for batch in self._batches(1)), None)

    def batches(self) -> Iterator[Batch]:
        """
        Yield the rows after the header.

        Raises:
            CsvProblem: The text is no CSV from there on.
        """
        return self._batches(_ROWS_AT_ONCE)

    def _batches(self, size: int) -> Iterator[Batch]:
        while True:
            first = self._reader.line_num + 1
            rows: list[list[str]] = []
            problem = self._read(rows, size)
            if [] in rows or self._reader.line_num - first + 1 != len(rows):
                batch = _with_lines(rows, first)
            else:
                batch = Batch(rows, range(first, first + len(rows)))
            if batch.rows:
                yield batch
            if problem:
                raise problem
            if not rows:
                return

    def _read(self, rows: list[list[str]], size: int) -> CsvProblem | None:
        """Append up to so many rows; return what ended them early."""
        first = self._reader.line_num + 1
        try:
            rows.extend(islice(self._reader, size))
        except csv.Error as unreadable:
            said = str(unreadable)
            found = next((plain for known, plain in _PLAIN.items() if known in said), said)
            line = first + sum(map(_height, rows))
            return CsvProblem(line, found, "cells with closed quotes, lines ending in LF or CRLF", "csv")
        except CsvProblem as problem:
            return problem
        return None


def _with_lines(rows: list[list[str]], first: int) -> Batch:
    starts = list(accumulate(map(_height, rows), initial=first))[:-1]
    kept = [at for at, row in enumerate(rows) if row]
    return Batch([rows[at] for at in kept], [starts[at] for at in kept])


def _height(row: list[str]) -> int:
    """Return how many lines a row takes up."""
    return 1 + sum(cell.count("\n") for cell in row)


def _decoded_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cut bytes into decoded lines; whole lines are decoded at once, so no character is ever split."""
    rest, count = b"", 0
    for piece in _pieces(chunks):
        data = rest + piece
        end = data.rfind(b"\n") + 1
        yield from _lines(data[:end], count)
        count += data.count(b"\n")
        rest = data[end:]
        if len(rest) > LINE_BYTES:
            raise CsvProblem(count + 1, f"a line of more than {LINE_BYTES} bytes", "lines of a table", "csv")
    yield from _lines(rest, count)


def _lines(block: bytes, before: int) -> Iterator[str]:
    """Decode whole lines of which `before` came before; the good ones are yielded before a bad one is told of."""
    if before == 0:
        for mark, what in _OTHER_FILES.items():
            if block.startswith(mark):
                raise CsvProblem(1, what, "comma-separated text in UTF-8", "encoding")
        block = block.removeprefix(_BOM)
    zero = block.find(b"\0")
    try:
        text = block.decode()
        wrong, found = zero, "a zero byte"
    except UnicodeDecodeError as undecodable:
        wrong, found = undecodable.start, f"byte 0x{block[undecodable.start]:02x}"
        text = ""
    if wrong < 0:
        yield from StringIO(text, newline="\n")
        return
    good = block[: block.rfind(b"\n", 0, wrong) + 1]
    yield from StringIO(good.decode(), newline="\n")
    raise CsvProblem(before + good.count(b"\n") + 1, found, "text in UTF-8", "encoding")


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for at in range(0, len(chunk), _PIECE):
            yield chunk[at : at + _PIECE]
