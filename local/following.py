"""Follows one dropped file through the function app's ledger and runs to its final state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from local.api import ApiUnavailable, Dataset, FunctionApi, Run
from local.timeline import Timeline

_PAUSE_S = 0.2


class NotSettled(Exception):
    """A file did not reach a final state in time; the text says where it was last seen."""


@dataclass(frozen=True)
class Settled:
    """
    What became of a dropped file.

    Attributes:
        run: None where the ledger alone decided.
        seconds: From the drop to the final state, by the function app's own clock.
    """

    dataset: Dataset
    run: Run | None
    seconds: float

    @property
    def outcome(self) -> str:
        """The final state of the run, or of the file where no run followed."""
        return self.run.state if self.run else self.dataset.state

    @property
    def reason(self) -> str:
        """Why, in the function app's words."""
        return self.run.reason if self.run else self.dataset.reason


@dataclass(frozen=True)
class _Mark:
    at: datetime
    name: str
    text: str = ""


def follow(
    api: FunctionApi, name: str, dropped_at: datetime, timeline: Timeline, check: Callable[[], None], within_s: float
) -> Settled:
    """
    Print each stage of a file as it is reached.

    Args:
        name: Path of the file in the container.
        check: Called while waiting; raises when a part of the environment has died.

    Raises:
        NotSettled: There was no final state within `within_s` seconds.
    """
    shown = 0
    last = "the function app has not entered it in its ledger"
    until = time.monotonic() + within_s
    with timeline.working(f"waiting for {name} to be seen") as update:
        while time.monotonic() < until:
            check()
            try:
                dataset, run = _look(api, name, dropped_at)
            except ApiUnavailable as unavailable:
                last = str(unavailable)
                time.sleep(_PAUSE_S)
                continue
            marks = list(_marks(dataset, run))
            for mark in marks[shown:]:
                timeline.stage((mark.at - dropped_at).total_seconds(), mark.name, mark.text)
            shown = len(marks)
            if dataset and (dataset.is_final or (run and run.is_final)):
                return Settled(dataset, run, (marks[-1].at - dropped_at).total_seconds())
            if marks:
                last = f"it was last seen {marks[-1].name}"
            waited = (datetime.now(UTC) - dropped_at).total_seconds()
            update(f"{name}: {marks[-1].name if marks else 'not seen yet'}, {waited:.0f} s since the drop")
            time.sleep(_PAUSE_S)
    raise NotSettled(f"'{name}' reached no final state within {within_s:.0f} s: {last}")


def _look(api: FunctionApi, name: str, since: datetime) -> tuple[Dataset | None, Run | None]:
    found = [d for d in api.datasets() if d.name == name and d.seen_at >= since]
    dataset = max(found, key=lambda d: d.seen_at, default=None)
    return dataset, api.run(dataset.run_id) if dataset and dataset.run_id else None


def _marks(dataset: Dataset | None, run: Run | None) -> Iterator[_Mark]:
    if dataset is None:
        return
    yield _Mark(dataset.seen_at, "SEEN")
    if dataset.settled_at:
        yield _Mark(dataset.settled_at, dataset.state, dataset.reason)
    if run:
        yield from (
            _Mark(s.at, s.state, run.reason if run.is_final and s.state == run.state else "") for s in run.stages
        )
