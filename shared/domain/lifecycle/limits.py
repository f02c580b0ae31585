"""How many runs of a model may train at once and within a day, and in which order the models take turns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.domain.lifecycle.runs import Run

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Limits:
    """
    What one model may ask of its training service; None means without a limit.

    Attributes:
        runs_per_day: Within any 24 hours.
        concurrent_jobs: Submitted or training at the same time.
    """

    runs_per_day: int | None = None
    concurrent_jobs: int | None = None

    @property
    def are_set(self) -> bool:
        """Whether there is any limit."""
        return self.runs_per_day is not None or self.concurrent_jobs is not None


@dataclass(frozen=True)
class Admissions:
    """The runs that were let through to the training service, oldest first, each with its instant."""

    model: str
    admitted: tuple[tuple[str, datetime], ...] = ()
    version: str = field(default="", compare=False)

    def since(self, run_id: str) -> datetime | None:
        """Return when a run was let through; None when it was not."""
        return next((at for known, at in self.admitted if known == run_id), None)

    def obstacle(self, limits: Limits, at_work: Collection[str], now: datetime) -> str:
        """
        Return in words what keeps the next run back; empty when nothing does.

        Args:
            at_work: Ids of the model's runs that have not got beyond training; those let through count as jobs.
        """
        jobs = sum(run in at_work for run, _ in self.admitted)
        if limits.concurrent_jobs is not None and jobs >= limits.concurrent_jobs:
            return f"a job to end: '{self.model}' may have {limits.concurrent_jobs} at once (limits.concurrent_jobs)"
        today = [at for _, at in self.admitted if now - at < _DAY]
        if limits.runs_per_day is not None and len(today) >= limits.runs_per_day:
            free = f"{today[-limits.runs_per_day] + _DAY:%Y-%m-%d %H:%M} UTC"
            return f"{free}: '{self.model}' may start {limits.runs_per_day} runs in 24 hours (limits.runs_per_day)"
        return ""

    def admitting(self, run_id: str, at_work: Collection[str], now: datetime) -> Admissions:
        """Return them with one more run, without those that no limit counts any longer."""
        counted = tuple((run, at) for run, at in self.admitted if run in at_work or now - at < _DAY)
        return replace(self, admitted=(*counted, (run_id, now)))


def in_turn(runs: Iterable[Run]) -> Iterator[Run]:
    """Yield one run of each model after the other, each model's oldest first; the longest waiting model begins."""
    queues: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: (run.created_at, run.id)):
        queues.setdefault(run.model, []).append(run)
    for place in range(max(map(len, queues.values()), default=0)):
        yield from (queue[place] for queue in queues.values() if place < len(queue))
