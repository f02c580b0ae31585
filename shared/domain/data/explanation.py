"""Says in words why a file did or did not trigger training, with times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.data.dataset import Ask, Dataset, DatasetState
from shared.domain.data.waiting import Batching
from shared.domain.lifecycle import schedule
from shared.domain.spans import span


@dataclass(frozen=True)
class Present:
    """The blob as it is in storage now."""

    etag: str
    size: int
    written_at: datetime


@dataclass(frozen=True)
class Version:
    """One version that the ledger knows, with what its run came to."""

    dataset: Dataset
    run_state: str = ""
    run_reason: str = ""


@dataclass(frozen=True)
class Waiting:
    """What accepted files of the model wait for."""

    schedule: str = ""
    batching: Batching | None = None
    rows: int = 0  # good rows of all waiting files
    opened_at: datetime | None = None  # when the file that has waited longest was seen


def explain(
    name: str,
    present: Present | None,
    versions: Sequence[Version],
    waiting: Waiting,
    patience: timedelta,
    now: datetime,
    outside: str = "",
) -> list[str]:
    """
    Explain one file, the newest version first.

    Args:
        name: The blob's name in `training-data`.
        present: The blob now; None when it is not there.
        versions: What the ledger knows of it, newest first.
        waiting: What accepted files of its model wait for.
        patience: How long the sweep leaves a file to its event.
        now: The instant of the question, timezone-aware UTC.
        outside: Why it belongs to no model; empty where it belongs to one.
    """
    known = {version.dataset.etag for version in versions}
    lines = []
    if present is None:
        lines.append(f"There is no file '{name}' in training-data{' any more' if versions else ''}.")
    elif present.etag not in known:
        lines.append(_unseen(name, present, patience if not outside else timedelta(), now))
        lines += [f"It will trigger nothing: it {outside}."] if outside else []
    if not versions and present is None:
        lines.append(
            "The ledger has never seen one; GET /api/datasets lists what came. Check the name, and its model's folder."
        )
    if len(versions) > 1:
        lines.append(f"The ledger knows {len(versions)} versions of it; the newest comes first.")
    for version in versions:
        is_current = present is not None and present.etag == version.dataset.etag
        lines.append(_seen(version.dataset, present if is_current else None))
        lines += [_outcome(version, waiting), *map(_asked, version.dataset.asks)]
    return lines


def _unseen(name: str, present: Present, patience: timedelta, now: datetime) -> str:
    age = now - present.written_at
    wait = (
        f"its event may still come; the sweep takes it up when it is older than {span(patience)}"
        if age < patience
        else "no event has announced it; the next sweep takes it up"
    )
    what = f"The version of '{name}' that is there now ({present.size} bytes, written {_at(present.written_at)})"
    return f"{what} is not in the ledger yet, {span(age)} after it was written: {wait}."


def _seen(dataset: Dataset, present: Present | None) -> str:
    which = "which is there now" if present else "which is not there any more"
    after = f", {span(dataset.seen_at - present.written_at)} after it was written" if present else ""
    return (
        f"Version {dataset.etag} ({dataset.size} bytes), {which}, was seen {_at(dataset.seen_at)}{after}, "
        f"{_SEEN_BY.get(dataset.seen_by, dataset.seen_by)}."
    )


def _outcome(version: Version, waiting: Waiting) -> str:
    dataset = version.dataset
    settled = _at(dataset.settled_at) if dataset.settled_at else "not yet"
    if dataset.state is DatasetState.SEEN:
        why = dataset.reason or ("it is being read, or its bytes are under another name; the sweep looks at it again")
        return f"It has not triggered yet: {why}."
    if dataset.waits:
        return f"It was accepted {settled} and has not triggered yet: {dataset.reason}. {_wait(waiting)}"
    if dataset.state is DatasetState.ACCEPTED:
        ended = f": {version.run_reason}" if version.run_reason else ""
        state = (
            f"That run is {version.run_state}{ended}." if version.run_state else "That run is not in the table `runs`."
        )
        return f"It triggered run '{dataset.run_id}' {settled}: {dataset.reason}. {state}"
    advice = _ADVICE.get(dataset.state, "")
    since = settled.removeprefix("at ")
    return f"It did not trigger; it is {dataset.state.value} since {since}: {dataset.reason}.{advice}"


def _wait(waiting: Waiting) -> str:
    if waiting.schedule and waiting.opened_at:
        return f"The schedule is due next {_at(schedule.next_after(waiting.schedule, waiting.opened_at))}."
    if waiting.batching and waiting.opened_at:
        latest = f"The window closes {_at(waiting.opened_at + waiting.batching.max_wait)} at the latest"
        rows = f", or with {waiting.batching.min_rows} rows, of which {waiting.rows} are there"
        marker = f", or when a file '{waiting.batching.marker}' comes"
        return latest + (rows if waiting.batching.min_rows else "") + (marker if waiting.batching.marker else "") + "."
    return "Its model has no schedule or window any more; the next tick of the timer trains on it."


def _asked(ask: Ask) -> str:
    why = f": {ask.reason}" if ask.reason else ""
    run = f" Run '{ask.run_id}' came of it." if ask.run_id else ""
    before = f" Before, it had triggered run '{ask.run_before}'." if ask.run_before else ""
    return f"{ask.by} asked {_at(ask.at)} to {ask.what} it{why}.{run}{before}"


_SEEN_BY = {
    "event": "by its event",
    "marker": "by the marker that ended its window",
    "sweep": "by the sweep",
    "request": "by a person's request",
}
_ADVICE = {
    DatasetState.QUARANTINED: " Fix the file and drop it again, or fix the contract and release it.",
    DatasetState.DUPLICATE: " To train on these bytes again, ask for it with `force` and a reason.",
}


def _at(instant: datetime) -> str:
    return f"at {instant:%Y-%m-%d %H:%M:%S} UTC"
