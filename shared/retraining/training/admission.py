"""Lets runs through to the training service as far as their model's limits allow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.admissions import AdmissionTable
from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.model import Model
from shared.retraining import Clock

_AT_WORK = frozenset({RunState.RECEIVED, RunState.SUBMITTED, RunState.TRAINING})


@dataclass(frozen=True)
class Turn:
    """Since when a run may train, or in words what it has to wait for; both empty for a model without limits."""

    since: datetime | None = None
    obstacle: str = ""


class Admission:
    """Counts by compare-and-swap: workers that admit at the same time cannot exceed a limit together."""

    def __init__(self, admissions: AdmissionTable, runs: RunTable, clock: Clock) -> None:
        self._admissions, self._runs, self._clock = admissions, runs, clock

    def ask(self, run: Run, model: Model) -> Turn:
        """
        Let a run through, or say what it has to wait for; one that was let through before stays so.

        Raises:
            Changed: Another worker let a run through meanwhile; ask again at the next tick.
        """
        if not model.limits.are_set:
            return Turn()
        admissions = self._admissions.load(model.name)
        if since := admissions.since(run.id):
            return Turn(since)
        at_work, now = self._runs.open_ids(model.name, _AT_WORK), self._clock()
        if obstacle := admissions.obstacle(model.limits, at_work, now):
            return Turn(obstacle=obstacle)
        self._admissions.save(admissions.admitting(run.id, at_work, now))
        return Turn(now)
