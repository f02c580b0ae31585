"""Holds a file against its contract: read once, as a stream, in memory that does not grow with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter

from shared.domain.data.cells import ColumnCheck
from shared.domain.data.contract import SEPARATORS, BadRows, Contract, Overlap
from shared.domain.data.csv_text import Batch, CsvProblem, CsvRows
from shared.domain.data.findings import Findings, Problem, counted, cut, shown
from shared.domain.data.labels import LabelTally
from shared.domain.data.row_hashes import RowHashes, row_hashes

_Row = list[str]


@dataclass(frozen=True)
class BadRow:
    """A row that does not meet the contract, as it was written, and why."""

    line: int
    cells: list[str]
    reason: str


@dataclass(frozen=True)
class Sorted:
    """Some rows of a file: those that may train, in the contract's column order, and those that are set aside."""

    training: list[tuple[str, ...]]
    bad: list[BadRow]


def check(chunks: Iterable[bytes], contract: Contract, holdout: RowHashes = frozenset()) -> Findings:
    """
    Hold a CSV file against its contract.

    Args:
        chunks: The file's bytes in order.
        contract: What it must hold.
        holdout: Hashes of the rows that no model may train on.
    """
    checking = Checking(contract, holdout)
    for _ in checking.sort(chunks):
        pass
    return checking.findings


class Checking:
    """One file on its way through its contract; `findings` are complete when all rows are sorted."""

    def __init__(self, contract: Contract, holdout: RowHashes = frozenset()) -> None:
        self.findings = Findings()
        self.header: list[str] = []
        self._contract, self._holdout = contract, holdout
        self._tolerant = contract.bad_rows is BadRows.SET_ASIDE
        self._labels, self._label_at = LabelTally(contract), contract.names.index(contract.label)

    def sort(self, chunks: Iterable[bytes]) -> Iterator[Sorted]:
        """Yield the file's rows, sorted, a few thousand at once."""
        rows = CsvRows(chunks, self._contract.separator)
        try:
            header = rows.header()
            if header is None:
                self.findings.add(Problem(None, None, "an empty file", "a header and rows", "empty"))
            elif self._check_header(header):
                self.header = header
                yield from self._sort(rows)
        except CsvProblem as problem:
            self.findings.add(Problem(problem.line, None, problem.found, problem.expected, problem.kind))

    def _sort(self, rows: CsvRows) -> Iterator[Sorted]:
        columns = {column.name: column for column in self._contract.columns}
        checks = [ColumnCheck(columns[name], self._contract) for name in self.header]
        in_order = _in_order([self.header.index(name) for name in self._contract.names])
        for batch in rows.batches():
            bad = self._bad_rows(batch, checks)
            good = [row for at, row in enumerate(batch.rows) if at not in bad] if bad else batch.rows
            self.findings.rows += len(batch.rows)
            self.findings.bad += len(bad)
            self.findings.good += len(good)
            aside = [BadRow(batch.lines[at], batch.rows[at], bad[at]) for at in sorted(bad)]
            yield self._sorted(list(map(in_order, good)), aside)
        self._check_whole(checks)

    def _sorted(self, good: list[tuple[str, ...]], bad: list[BadRow]) -> Sorted:
        if self._holdout and good:
            hashes = row_hashes(list(zip(*good, strict=True)), self._contract)
            fresh = [row for row, number in zip(good, hashes, strict=True) if number not in self._holdout]
            self.findings.overlap += len(good) - len(fresh)
            if self._contract.overlap is Overlap.STRIP:
                self.findings.stripped += len(good) - len(fresh)
                good = fresh
        self._labels.see([row[self._label_at] for row in good])
        return Sorted(good, bad)

    def _bad_rows(self, batch: Batch, checks: list[ColumnCheck]) -> dict[int, str]:
        """Return the positions of the rows that do not meet the contract, each with its first problem in words."""
        bad = self._ragged_rows(batch, len(checks))
        whole = [at for at in range(len(batch.rows)) if at not in bad] if bad else range(len(batch.rows))
        columns = zip(*(batch.rows[at] for at in whole) if bad else batch.rows, strict=True)
        for column, cells in zip(checks, columns, strict=False):
            for found_at, expected in column.problems(cells):
                at, found = whole[found_at], shown(cells[found_at])
                problem = Problem(batch.lines[at], column.name, found, expected, f"value:{column.name}")
                reason = self._note(problem)
                bad.setdefault(at, reason)
        return bad

    def _ragged_rows(self, batch: Batch, width: int) -> dict[int, str]:
        widths = list(map(len, batch.rows))
        if widths.count(width) == len(widths):
            return {}
        expected = f"{width} cells as in the header"
        return {
            at: self._note(
                Problem(batch.lines[at], None, f"{found} cell{'' if found == 1 else 's'}", expected, "ragged")
            )
            for at, found in enumerate(widths)
            if found != width
        }

    def _note(self, problem: Problem) -> str:
        self.findings.add(problem, refuses=not self._tolerant)
        return problem.sentence()

    def _check_header(self, header: list[str]) -> bool:
        contract, add = self._contract, self.findings.add
        expected, separator = set(contract.names), SEPARATORS[contract.separator]
        other = next((mark for mark in SEPARATORS if len(header) == 1 and mark in header[0]), "")
        if other and other != contract.separator:
            declare = f"columns separated by {separator}, or the other declared as the contract's separator"
            add(Problem(1, None, f"columns separated by {SEPARATORS[other]}", declare, "separator"))
            return False
        for name, times in Counter(header).items():
            if times > 1:
                add(Problem(1, cut(name), f"the name {times} times", "each name once", "header"))
            if name not in expected:
                add(Problem(1, cut(name), "a column that the contract does not know", _known(name, contract), "header"))
        for column in contract.columns:
            if column.name not in header:
                what = "no such column" + (", which is the label" if column.name == contract.label else "")
                add(Problem(1, column.name, what, f"a {column.kind.value} column", "header"))
        return self.findings.is_met

    def _check_whole(self, checks: list[ColumnCheck]) -> None:
        findings, contract = self.findings, self._contract
        if findings.bad and self._tolerant and findings.bad > contract.max_bad_share * findings.rows:
            found = f"{findings.bad} of {counted(findings.rows)} that do not meet the contract"
            first = findings.problems[0].sentence()
            expected = f"at most {contract.max_bad_share:.1%}; the first: {first}"
            findings.add(Problem(None, None, found, expected, "share"))
        usable = findings.good - findings.stripped if self._tolerant else findings.rows - findings.stripped
        if usable < contract.min_rows:
            outside = " that meet the contract" if self._tolerant and findings.bad else ""
            outside += " outside the holdout" if findings.stripped else ""
            findings.add(Problem(None, None, f"{counted(usable)}{outside}", f"at least {contract.min_rows}", "rows"))
        for column in checks:
            if findings.rows and column.count_missing > column.max_missing * findings.rows:
                found = f"{column.count_missing} of {findings.rows} values missing"
                findings.add(Problem(None, column.name, found, f"at most {column.max_missing:.1%}", "missing"))
        if findings.good and (self._tolerant or not findings.bad) and (label := self._labels.problem()):
            findings.add(label)
        if findings.overlap and contract.overlap is Overlap.BLOCK:
            found = f"{counted(findings.overlap)} of the holdout"
            findings.add(Problem(None, None, found, "none of them", "holdout"))


def _in_order(positions: list[int]) -> Callable[[_Row], tuple[str, ...]]:
    pick = itemgetter(*positions)
    return pick if len(positions) > 1 else lambda row: (pick(row),)


def _known(name: str, contract: Contract) -> str:
    """Say which name was meant, or which there are."""
    said = name.strip().casefold()
    meant = next((known for known in contract.names if known.casefold() == said), None)
    return f"'{meant}', spelled exactly so" if meant else _listed(contract.names)


def _listed(names: list[str]) -> str:
    return "one of " + ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
