"""When files that wait for each other train: at once, when a window closes, or when a schedule is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.data.dataset import Dataset
from shared.domain.spans import span


@dataclass(frozen=True)
class Batching:
    """
    A window that opens with the first file and closes with whatever comes first.

    Attributes:
        max_wait: How long the first file waits at most.
        min_rows: So many good rows close the window at once; 0 means that rows do not count.
        marker: A blob of this name closes it at once, when all files beside and below it are in; empty means none does.
    """

    max_wait: timedelta
    min_rows: int = 0
    marker: str = ""


@dataclass(frozen=True)
class Arriving:
    """
    How files are taken in.

    Attributes:
        quiet: How long an append blob must be left alone before it counts as complete; a sealed one is at once.
        overdue: From which age a file without a final state, and on no run, is an alarm.
    """

    quiet: timedelta = timedelta(seconds=60)
    overdue: timedelta = timedelta(hours=1)


def closed_because(batching: Batching, waiting: Sequence[Dataset], now: datetime) -> str:
    """Say why the window over these files is closed; empty while it is open."""
    if not waiting:
        return ""
    rows = sum(dataset.good for dataset in waiting)
    if 0 < batching.min_rows <= rows:
        return f"{rows} rows are there, of at least {batching.min_rows}"
    first = min(waiting, key=lambda dataset: dataset.seen_at)
    if now - first.seen_at >= batching.max_wait:
        return f"'{first.name}' has waited for {span(batching.max_wait)}"
    return ""


def is_marker(name: str, batching: Batching | None) -> bool:
    """Whether a blob of this name ends a window."""
    return batching is not None and bool(batching.marker) and name.rpartition("/")[2] == batching.marker
