"""
Says what became of runs: sees that the decision is recorded, writes the report, tells who asked to know.

A run's row says that news are due from the moment its state is saved; they are tried again until done or given up, and
what is given up is an error in the log. Nothing here can hold up or change a promotion.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.announcement import ATTEMPTS
from shared.domain.lifecycle.runs import Run
from shared.errors import Changed
from shared.logs import event
from shared.retraining import Clock

_log = logging.getLogger(__name__)

Step = Callable[[Run], None]


class Announcing:
    """Takes every run whose state is news through the steps that are left to do."""

    def __init__(self, runs: RunTable, steps: Mapping[str, Step], clock: Clock) -> None:
        """
        Args:
            steps: By name, in the order of doing; each may be repeated after a crash, and raises when it failed.
        """
        self._runs, self._steps, self._clock = runs, steps, clock

    def announce_due(self) -> None:
        """Try every run whose time has come; a run that somebody else moves meanwhile is left to the next tick."""
        for run in self._runs.unannounced():
            if run.announcement.is_due(len(run.stages), self._clock()):
                try:
                    self._announce(run)
                except Changed:
                    event(_log, "announcement.left_to_another", run_id=run.id)

    def _announce(self, run: Run) -> None:
        run = self._runs.save(replace(run, announcement=run.announcement.tried(len(run.stages), self._clock())))
        done, problems = list(run.announcement.done), []
        for name, step in self._steps.items():
            if name in done:
                continue
            try:
                step(run)
                done.append(name)
            except Exception as failed:
                problems.append(f"{name}: {failed}")
        self._note(run, tuple(done), "; ".join(problems))

    def _note(self, run: Run, done: tuple[str, ...], problem: str) -> None:
        if problem:
            given_up = run.announcement.attempts >= ATTEMPTS
            name = "announcement.given_up" if given_up else "announcement.failed"
            level = logging.ERROR if given_up else logging.WARNING
            event(_log, name, level=level, run_id=run.id, attempts=run.announcement.attempts, reason=problem)
        self._runs.save(replace(run, announcement=run.announcement.after(done, problem)))
