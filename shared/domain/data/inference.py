"""Infers a data contract from a file that is known to be good: the one that the first model is published from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from shared.domain.data.contract import SEPARATORS, Column, Contract, Kind
from shared.domain.data.csv_text import CsvProblem, CsvRows
from shared.domain.task import Task

_CLASSES = 50  # a column with more values is no label of classes
_MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL")
_LEAST_MISSING = 0.05  # share of missing values that a later file may have although this one has none
_ROWS = 10  # a later file may have so many times fewer rows


@dataclass
class _Seen:
    """What one column held; `values` are kept up to one more than classes may be."""

    is_number: bool = True
    is_integer: bool = True
    missing: int = 0
    marks: set[str] = field(default_factory=set)
    present: int = 0
    values: dict[str, int] = field(default_factory=dict)

    def see(self, text: str) -> None:
        if text in _MISSING:
            self.missing += 1
            self.marks.add(text)
            return
        self.present += 1
        if text in self.values or len(self.values) <= _CLASSES:
            self.values[text] = self.values.get(text, 0) + 1
        if self.is_number:
            self.is_number, is_integer = _reads(text)
            self.is_integer &= is_integer

    @property
    def kind(self) -> Kind:
        if not self.is_number or not self.present:
            return Kind.CATEGORY
        return Kind.INTEGER if self.is_integer else Kind.NUMBER


def infer(
    chunks: Iterable[bytes],
    *,
    label: str = "",
    task: Task | None = None,
    positive: str = "",
    separator: str = "",
) -> Contract:
    """
    Infer the contract that files like this one meet.

    A category's values stay open, except the label's. A later file may have a tenth of the rows, and twice this one's
    share of missing values in a column, at least 5 %.

    Args:
        chunks: The file's bytes in order.
        label: The column to be predicted; the last one when empty.
        task: What is predicted; read off the label when None.
        positive: The positive class of two; the rarer one when empty.
        separator: Between columns; read off the header when empty.

    Raises:
        CsvProblem: The file is no CSV, has no rows, or its columns cannot be told apart.
    """
    pieces = iter(chunks)
    head = _head(pieces)
    separator = separator or max(SEPARATORS, key=head.split(b"\n", 1)[0].decode("utf-8", "replace").count)
    rows = CsvRows(chain([head], pieces), separator)
    header = rows.header() or []
    label = label or (header[-1] if header else "")
    _check_header(header, label)
    columns, count = _see(rows, header)
    if not count:
        raise CsvProblem(2, "no rows", "rows to infer from", "rows")
    seen = dict(zip(header, columns, strict=True))
    task = task or _task(seen[label])
    if task is Task.TWO_CLASS and not positive:
        positive = min(seen[label].values, key=lambda value: (seen[label].values[value], value), default="")
    return Contract(
        columns=tuple(_column(name, seen[name], count, name == label, task) for name in header),
        label=label,
        min_rows=max(1, count // _ROWS),
        missing=frozenset({""}.union(*(column.marks for column in columns))),
        task=task,
        positive=positive,
        separator=separator,
    )


def _head(pieces: Iterator[bytes]) -> bytes:
    head = b""
    for piece in pieces:
        head += piece
        if b"\n" in head:
            break
    return head


def _check_header(header: list[str], label: str) -> None:
    if label not in header:
        raise CsvProblem(1, f"no column '{label}'", f"the label, one of {', '.join(header) or 'no columns'}", "header")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise CsvProblem(1, f"the column '{twice}' more than once", "each name once", "header")


def _see(rows: CsvRows, header: list[str]) -> tuple[list[_Seen], int]:
    columns, count = [_Seen() for _ in header], 0
    for batch in rows.batches():
        for line, row in zip(batch.lines, batch.rows, strict=True):
            if len(row) != len(header):
                raise CsvProblem(line, f"{len(row)} cells", f"{len(header)} as in the header", "ragged")
            for column, cell in zip(columns, row, strict=True):
                column.see(cell.strip())
        count += len(batch.rows)
    return columns, count


def _task(label: _Seen) -> Task:
    if len(label.values) == 2:
        return Task.TWO_CLASS
    if label.is_number and len(label.values) > _CLASSES:
        return Task.REGRESSION
    return Task.REGRESSION if label.is_number and not label.is_integer else Task.MULTICLASS


def _column(name: str, seen: _Seen, rows: int, is_label: bool, task: Task) -> Column:
    if is_label:
        kind = seen.kind if task is Task.REGRESSION else Kind.CATEGORY
        return Column(name, kind, frozenset() if task is Task.REGRESSION else frozenset(seen.values), required=True)
    share = max(_LEAST_MISSING, 2 * seen.missing / rows)
    return Column(name, seen.kind, max_missing=min(1.0, math.ceil(share * 100) / 100))


def _reads(text: str) -> tuple[bool, bool]:
    """Return whether a text is a number, and whether it is an integer."""
    if "_" in text or not text.isascii():
        return False, False
    try:
        return math.isfinite(float(text)), text.lstrip("+-").isdigit()
    except ValueError:
        return False, False
