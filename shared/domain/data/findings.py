"""What holding a file against its contract showed: problems with line, column, finding and expectation."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

PROBLEMS_PER_KIND = 20  # listed in full; the rest are counted
_SHOWN = 40  # characters of an offending value or name


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
            for part in (
                f"line {self.line}" if self.line else "",
                f"column '{self.column}'" if self.column is not None else "",
            )
            if part
        )
        return f"{where + ': ' if where else ''}found {self.found}, expected {self.expected}"


@dataclass
class Findings:
    """
    What reading a file showed.

    Attributes:
        rows: Data rows read.
        good: Of these, the rows that meet the contract.
        bad: Of these, the rows that do not.
        overlap: Of the good rows, those that are also in the holdout.
        stripped: Of these, those that are left out of the training set.
        counts: Every problem by kind; `problems` holds the first of each kind.
        refusal: The first problem that refuses the whole file rather than a single row.
    """

    rows: int = 0
    good: int = 0
    bad: int = 0
    overlap: int = 0
    stripped: int = 0
    refusal: Problem | None = None
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, problem: Problem, *, refuses: bool = True) -> None:
        """Count a problem, and keep it while its kind is not yet shown often enough."""
        if refuses and self.refusal is None:
            self.refusal = problem
        self.counts[problem.kind] += 1
        if self.counts[problem.kind] <= PROBLEMS_PER_KIND:
            self.problems.append(problem)

    @property
    def is_met(self) -> bool:
        """Whether the file may train."""
        return self.refusal is None

    @property
    def is_balanced(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.rows == self.good + self.bad

    def sentence(self) -> str:
        """Summarise for a person: what is good, or the first problem and how many more there are."""
        if self.refusal is None:
            aside = f"; {self.bad} of {self.rows} do not and are set aside" if self.bad else ""
            fate = "left out" if self.stripped else "and would flatter a model that trains on them"
            leaked = f"; {self.overlap} are also in the holdout, {fate}" if self.overlap else ""
            return f"{self.good} rows meet the contract{aside}{leaked}"
        more = sum(self.counts.values()) - 1
        return self.refusal.sentence() + (f" (and {more} more problem{'s' if more > 1 else ''})" if more else "")

    def as_json(self) -> dict[str, Any]:
        """Return the findings as plain JSON values."""
        return {
            "rows": self.rows,
            "good": self.good,
            "bad": self.bad,
            "holdout_overlap": self.overlap,
            "stripped": self.stripped,
            "counts": dict(self.counts),
            "problems": [asdict(problem) for problem in self.problems],
        }


def counted(rows: int) -> str:
    """Write a number of rows."""
    return f"{rows} row{'' if rows == 1 else 's'}"


def shown(value: str) -> str:
    """Quote a value, cut to what a sentence can bear."""
    return f"'{cut(value)}'"


def cut(value: str) -> str:
    """Cut a value or name to what a sentence can bear."""
    return f"{value[:_SHOWN]}…" if len(value) > _SHOWN else value
