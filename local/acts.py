"""The five acts of the demonstration: each drops a file and says whether it ended as it should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.census.files import Broken, CensusFiles
from local.api import FunctionApi
from local.drop import drop
from local.environment import Addresses
from local.following import NotSettled, Settled, follow
from local.scoring import Answer, ask, sample_rows, side_by_side
from local.timeline import Timeline
from shared.wire import Table

_FOLDER = "census"
_WITHIN_S = 60.0
_SAMPLE_PER_LABEL = 3


class ActFailed(Exception):
    """An act ended otherwise than it should."""

    def __init__(self, title: str, expected: str, found: str) -> None:
        self.title, self.expected, self.found = title, expected, found
        super().__init__(f"{title}: expected {expected}; found {found}")


@dataclass
class Stage:
    """
    What the acts play on, and what they leave for the ones after.

    Attributes:
        check: Raises when a part of the environment has died.
        settled: Every file dropped so far, in order, by the name it was given.
    """

    addresses: Addresses
    files: CensusFiles
    timeline: Timeline
    check: Callable[[], None]
    sample: Table = field(init=False)
    answers: list[Answer] = field(init=False)
    settled: dict[str, Settled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.api = FunctionApi(self.addresses.functions_url, self.addresses.function_key)
        self.sample = sample_rows(self.files.holdout, _SAMPLE_PER_LABEL)
        self.answers = []

    def ask_live(self) -> list[Answer]:
        """Score the sample rows on the live endpoint."""
        return ask(self.addresses.publication.endpoints["live"], self.sample)

    def drop(self, title: str, path: Path, outcome: str, name: str | None = None) -> Settled:
        """Drop a file and follow it to its end, which must be `outcome`."""
        name = name or path.name
        dropped_at = drop(self.addresses.storage, path, _FOLDER, name)
        try:
            settled = follow(self.api, f"{_FOLDER}/{name}", dropped_at, self.timeline, self.check, _WITHIN_S)
        except NotSettled as late:
            raise ActFailed(title, outcome, str(late)) from late
        self.settled[name] = settled
        _expect(settled.outcome == outcome, title, outcome, f"{settled.outcome}: {settled.reason}")
        return settled


def publish(stage: Stage) -> None:
    """Show what was published: the champion and its endpoints."""
    title = "Census Model is published, its champion trained on a small early file"
    stage.timeline.act(1, title)
    publication = stage.addresses.publication
    updatable = {name: endpoint.updatable for name, endpoint in publication.endpoints.items()}
    expected = {"default": False, "live": True, "staging": True}
    _expect(updatable == expected, title, f"endpoints, updatable or not: {expected}", str(updatable))
    summary = publication.summary
    timeline, auc = stage.timeline, float(summary["metrics"]["AUC"])
    timeline.note(f"champion: trained on {summary['n_training_rows']:,} of {summary['n_rows']:,} rows, AUC {auc:.3f}")
    for name, is_updatable in updatable.items():
        timeline.note(f"endpoint {name:<8} {'updatable' if is_updatable else 'keeps the published model'}")
    stage.answers = stage.ask_live()


def better(stage: Stage) -> None:
    """A larger file makes a better model, and the live endpoint serves it."""
    title = f"A larger file is dropped: {stage.files.larger.name}"
    stage.timeline.act(2, title)
    stage.drop(title, stage.files.larger, "PROMOTED")
    after = stage.ask_live()
    _expect(after != stage.answers, title, "other answers of the live endpoint than before", "the same answers")
    columns, cells = side_by_side(stage.sample, stage.answers, after)
    stage.timeline.table("The live endpoint, before and after", columns, cells)
    stage.answers = after


def duplicate(stage: Stage) -> None:
    """The same bytes under another name train nothing."""
    title = "The same bytes are dropped under another name: larger-again.csv"
    stage.timeline.act(3, title)
    runs = len(stage.api.runs())
    first = f"{_FOLDER}/{stage.files.larger.name}"
    settled = stage.drop(title, stage.files.larger, "DUPLICATE", name="larger-again.csv")
    original = settled.dataset.duplicate_of
    _expect(original == first, title, f"a duplicate of {first}", f"a duplicate of {original or 'nothing'}")
    started = len(stage.api.runs()) - runs
    _expect(started == 0, title, "no run", f"{started} new run(s)")


def worse(stage: Stage) -> None:
    """A file with shuffled labels makes a model that the gate refuses; the live endpoint is left alone."""
    title = f"A file whose labels are shuffled is dropped: {stage.files.shuffled.name}"
    stage.timeline.act(4, title)
    settled = stage.drop(title, stage.files.shuffled, "REJECTED")
    verdict = _verdict(settled)
    missing = [part for part in ("champion", "challenger", "lower", "upper") if verdict.get(part) is None]
    failed = [check["rule"] for check in verdict.get("checks", ()) if not check["passed"]]
    _expect(bool(failed), title, "the rule that was broken", "none named")
    _expect(not missing, title, "both values and the interval", f"a verdict without {', '.join(missing)}")
    _expect(stage.ask_live() == stage.answers, title, "the live endpoint unchanged", "other answers than before")


def broken(stage: Stage) -> None:
    """Files that do not meet the data contract are quarantined, with the place of the fault."""
    names = (stage.files.no_label.path.name, stage.files.text_in_number.path.name)
    title = f"Broken files are dropped: {names[0]} and {names[1]}"
    stage.timeline.act(5, title)
    for file in (stage.files.no_label, stage.files.text_in_number):
        settled = stage.drop(title, file.path, "QUARANTINED")
        _expect_problem(title, file, settled)
        for p in settled.dataset.problems:
            stage.timeline.note(
                f"line {p['line']}, column {p['column']}: expected {p['expected']}, found {p['found'] or 'nothing'}"
            )


ACTS: tuple[Callable[[Stage], None], ...] = (publish, better, duplicate, worse, broken)


def _expect_problem(title: str, file: Broken, settled: Settled) -> None:
    problems = settled.dataset.problems
    found = any(p["line"] == file.line and p["column"] == file.column and p["expected"] for p in problems)
    places = ", ".join(f"line {p['line']}, column {p['column']}" for p in problems) or "no problem named"
    _expect(found, title, f"a problem at line {file.line}, column {file.column} of {file.path.name}", places)


def _verdict(settled: Settled) -> dict[str, Any]:
    return dict(settled.run.verdict or {}) if settled.run else {}


def _expect(holds: bool, title: str, expected: str, found: str) -> None:
    if not holds:
        raise ActFailed(title, expected, found)
