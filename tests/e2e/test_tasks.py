"""The whole loop for models that say which of several classes, and models that say a number."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pytest
from running_loop import Loop

from shared.wire import Table


@dataclass(frozen=True)
class Case:
    """A model, the columns that answer, and what its report has to show."""

    model: str
    section: str
    answers: tuple[str, ...]
    words: tuple[str, ...]
    plots: tuple[str, ...]


CASES = (
    Case(
        "rentals", "regression", ("Scored Label Mean",),
        ("Predicted by actual", "Mean absolute error by tenth of the target"), ("plot-curves", "plot-bars"),
    ),
    Case(
        "demand", "multiclass", tuple(f'Scored Probabilities for Class "{name}"' for name in ("high", "low", "normal")),
        ("Recall by class", "Shares of the rows of each true class", "Difference, in percentage points"), (),
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.model)
def test_a_model_of_another_task_is_promoted_rejected_reported_and_rolled_back(loop: Loop, case: Case) -> None:
    """One test, since each file is judged against what the files before it left in place."""
    rows = _first_rows(loop.rentals.holdout)
    published = _answers(loop, case, rows)

    better = loop.drop(loop.rentals.larger, model=case.model)

    assert better.outcome == "PROMOTED", better.reason
    assert better.run
    assert "proven on 20 golden rows" in better.reason
    served = _answers(loop, case, rows)
    assert served != published
    report = loop.report(better.run.id)
    assert report["verdict"]["paired"]
    assert report[case.section]["n_rows"] == report["verdict"]["n_rows"] == 2000
    assert [report[name] for name in ("two_class", "multiclass", "regression") if name != case.section] == [None, None]
    page = loop.ask("GET", f"runs/{better.run.id}/report").text
    assert [words for words in case.words if words not in page] == []
    assert [plot for plot in case.plots if f'class="{plot}"' not in page] == []

    worse = loop.drop(loop.rentals.shuffled, model=case.model)

    assert worse.outcome == "REJECTED", worse.reason
    assert worse.run
    failed = [rule["rule"] for rule in loop.report(worse.run.id)["rules"] if not rule["passed"]]
    assert any(rule.startswith("gain in ") for rule in failed), failed
    assert _answers(loop, case, rows) == served

    asked = loop.ask("POST", f"models/{case.model}/rollback", {"by": "ada", "reason": "the published one again"})
    back = loop.ended(asked.json()["id"])

    assert (back.state, asked.json()["restores"]) == ("PROMOTED", "initial"), back.reason
    assert _answers(loop, case, rows) == published


def test_the_doctor_finds_nothing_wrong(loop: Loop) -> None:
    found = loop.ask("GET", "doctor").json()

    assert [check for check in found["checks"] if not check["ok"]] == []
    assert {check["subject"] for check in found["checks"]} >= {"rentals", "demand", "census"}


def _first_rows(holdout: Path) -> Table:
    """Return some rows, both labels blank."""
    with holdout.open(encoding="utf-8", newline="") as lines:
        header, *rows = islice(csv.reader(lines), 31)
    return Table(tuple(header), [[*row[:-2], None, None] for row in rows])


def _answers(loop: Loop, case: Case, rows: Table) -> list[tuple[object, ...]]:
    scored = loop.score(case.model, rows)
    return list(zip(*(scored.column(name) for name in case.answers), strict=True))
