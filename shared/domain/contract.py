"""
The data contract: what a training file must look like before training money is spent on it.

The file is read once, as a stream of lines, in memory that does not grow with it.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from shared.domain.task import Task

PROBLEMS_PER_KIND = 20  # listed in full; the rest are counted
_SHOWN = 40  # characters of an offending value or name
_LINE_BYTES = 2**20  # a longer line is no line of a table
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Kind(Enum):
    """What a column holds."""

    NUMBER = "number"
    INTEGER = "integer"
    CATEGORY = "category"


@dataclass(frozen=True)
class Column:
    """
    One column of the contract.

    Attributes:
        values: The only values allowed; empty means any.
        required: Whether a missing value is a problem.
    """

    name: str
    kind: Kind
    values: frozenset[str] = frozenset()
    required: bool = False


@dataclass(frozen=True)
class Contract:
    """
    What a training file must hold.

    Attributes:
        columns: Every column, in any order.
        label: The column to be predicted: never missing, with at least two values in a file.
        min_rows: The least number of data rows.
        missing: Cells that mean "no value".
        task: What is predicted; it says which labels a file must hold.
        positive: The label's positive class; empty unless the task is two-class.
    """

    columns: tuple[Column, ...]
    label: str
    min_rows: int = 1
    missing: frozenset[str] = frozenset({"", "?"})
    task: Task = Task.TWO_CLASS
    positive: str = ""


@dataclass(frozen=True)
class Problem:
    """One way in which a file does not meet its contract; `line` counts from 1, the header."""

    line: int | None
    column: str | None
    found: str
    expected: str
    kind: str

    def sentence(self) -> str:
        """Say where, what was found and what was expected."""
        where = ", ".join(
            part
            for part in (f"line {self.line}" if self.line else "", f"column '{self.column}'" if self.column else "")
            if part
        )
        return f"{where + ': ' if where else ''}found {self.found}, expected {self.expected}"


@dataclass
class Findings:
    """What reading a file showed; `counts` holds every problem by kind, `problems` the first of each kind."""

    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep it while its kind is not yet shown often enough."""
        self.counts[problem.kind] += 1
        if self.counts[problem.kind] <= PROBLEMS_PER_KIND:
            self.problems.append(problem)

    @property
    def is_met(self) -> bool:
        """Whether the contract is met."""
        return not self.counts

    def sentence(self) -> str:
        """Summarise for a person: the first problem, and how many more there are."""
        if self.is_met:
            return f"{self.rows} rows meet the contract"
        more = sum(self.counts.values()) - 1
        return self.problems[0].sentence() + (f" (and {more} more problem{'s' if more > 1 else ''})" if more else "")

    def as_json(self) -> dict[str, Any]:
        """Return the findings as plain JSON values."""
        return {"rows": self.rows, "counts": dict(self.counts), "problems": [asdict(p) for p in self.problems]}


# A cell's check says what was expected, or nothing when the cell is fine.
_CellCheck = Callable[[str], str]


def check(chunks: Iterable[bytes], contract: Contract) -> Findings:
    """
    Hold a CSV file against its contract.

    Args:
        chunks: The file's bytes in order: UTF-8 with or without BOM, comma-separated, with a header.
        contract: What it must hold.
    """
    findings = Findings()
    reader = csv.reader(decoded_lines(chunks), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            findings.add(Problem(None, None, "an empty file", "a header and rows", "empty"))
        elif _check_header(header, contract, findings):
            labels = _check_rows(reader, header, contract, findings)
            _check_whole(labels, contract, findings)
    except csv.Error as unreadable:
        expected = "comma-separated values with closed quotes"
        findings.add(Problem(reader.line_num, None, f"a line that is no CSV ({unreadable})", expected, "csv"))
    except UnicodeDecodeError as undecodable:
        found = f"byte 0x{undecodable.object[undecodable.start]:02x}"
        findings.add(Problem(reader.line_num + 1, None, found, "text in UTF-8", "encoding"))
    return findings


def decoded_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Cut bytes into decoded lines; a whole line is decoded at once, so no character is ever split."""
    rest, first = b"", True
    for chunk in chunks:
        if first and not rest and chunk.startswith(_UTF16):
            raise csv.Error("text in UTF-16; save it as UTF-8")
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LINE_BYTES:
            raise csv.Error(f"a line of more than {_LINE_BYTES} bytes")
        for line in whole:
            yield (line + b"\n").decode("utf-8-sig" if first else "utf-8")
            first = False
    if rest:
        yield rest.decode("utf-8-sig" if first else "utf-8")


def _check_header(header: list[str], contract: Contract, findings: Findings) -> bool:
    expected = {column.name for column in contract.columns}
    other = next((mark for mark in (";", "\t", "|") if len(header) == 1 and mark in header[0]), "")
    if other:
        what = "a tab" if other == "\t" else f"'{other}'"
        findings.add(Problem(1, None, f"columns separated by {what}", "columns separated by ','", "separator"))
        return False
    for name, times in Counter(map(_cut, header)).items():
        if times > 1:
            findings.add(Problem(1, name, f"the name {times} times", "each name once", "header"))
        if name not in expected:
            findings.add(Problem(1, name, "a column that the contract does not know", _names(contract), "header"))
    for column in contract.columns:
        if column.name not in header:
            what = "no such column" + (", which is the label" if column.name == contract.label else "")
            findings.add(Problem(1, column.name, what, f"a {column.kind.value} column", "header"))
    return findings.is_met


def _check_rows(reader: Iterator[list[str]], header: list[str], contract: Contract, findings: Findings) -> Counter[str]:
    """Check every row; return how often each label occurs."""
    columns = {column.name: column for column in contract.columns}
    checks = [(at, name, _cell_check(columns[name], contract)) for at, name in enumerate(header)]
    needed = [(at, name, cell_check) for at, name, cell_check in checks if cell_check]
    label_at, width = header.index(contract.label), len(header)
    labels: Counter[str] = Counter()
    line = 2
    for row in reader:
        if len(row) != width:
            if row:
                findings.rows += 1
                findings.add(Problem(line, None, f"{len(row)} cells", f"{width} cells as in the header", "ragged"))
        else:
            findings.rows += 1
            labels[row[label_at]] += 1
            for at, name, cell_check in needed:
                expected = cell_check(row[at])
                if expected:
                    findings.add(Problem(line, name, _shown(row[at]), expected, f"value:{name}"))
        line = reader.line_num + 1  # type: ignore[attr-defined]  # the next row starts after this one's last line
    return labels


def _check_whole(labels: Counter[str], contract: Contract, findings: Findings) -> None:
    if findings.rows < contract.min_rows:
        found, expected = f"{findings.rows} rows", f"at least {contract.min_rows}"
        findings.add(Problem(None, None, found, expected, "rows"))
    classes = [value for value in labels if value.strip() not in contract.missing]
    if findings.rows and len(classes) < 2:
        found = f"only the value {_shown(classes[0])}" if classes else "no value at all"
        findings.add(Problem(None, contract.label, found, "at least two classes", "label"))


def _cell_check(column: Column, contract: Contract) -> _CellCheck | None:
    """Build the check of one column's cells; None where nothing can be wrong."""
    required = column.required or column.name == contract.label
    missing, values = contract.missing, column.values
    parse = _PARSERS.get(column.kind)
    if parse is None and not values and not required:
        return None
    what = (
        f"one of {', '.join(sorted(values))}"
        if values
        else f"a{'n' if column.kind is Kind.INTEGER else ''} {column.kind.value}"
    )

    def cell_check(cell: str) -> str:
        text = cell.strip()
        if text in missing:
            return f"{what}; it may not be missing" if required else ""
        if values and text not in values:
            return what
        if parse is not None:
            try:
                parse(text)
            except ValueError:
                return what
        return ""

    return cell_check


def _number(text: str) -> None:
    # Python reads 1_000 as a number; no other reader of CSV does.
    if "_" in text or not math.isfinite(float(text)):
        raise ValueError(text)


def _integer(text: str) -> None:
    _number(text)
    int(text)


_PARSERS: dict[Kind, Callable[[str], None]] = {Kind.NUMBER: _number, Kind.INTEGER: _integer}


def _shown(value: str) -> str:
    return f"'{_cut(value)}'"


def _cut(value: str) -> str:
    return f"{value[:_SHOWN]}…" if len(value) > _SHOWN else value


def _names(contract: Contract) -> str:
    names = [column.name for column in contract.columns]
    return "one of " + ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
