"""What becomes of a run whose evaluation failed in every delivery: a state that a person sees, and can replay."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from shared.adapters.decisions import DecisionTable
from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.runs import TRANSITIONS, Run, RunState
from shared.errors import Changed
from shared.logs import event
from shared.retraining import Clock

_log = logging.getLogger(__name__)


class GivingUp:
    """Takes the messages that the platform gave up; a repeated one changes nothing."""

    def __init__(self, runs: RunTable, decisions: DecisionTable, clock: Clock) -> None:
        self._runs, self._decisions, self._clock = runs, decisions, clock

    def take(self, text: str) -> None:
        """End the run that a message names as FAILED; a begun promotion stays open, and is tried again by the ticks."""
        run = self._run_of(text)
        if run is None or run.state.is_final:
            return
        why = f"its evaluation failed in every delivery{f': {run.waits_for}' if run.waits_for else ''}"
        try:
            self._close(run, why)
        except Changed:
            event(_log, "run.given_up_too_late", run_id=run.id)  # it has moved on since

    def _run_of(self, text: str) -> Run | None:
        try:
            due = json.loads(text)
            return self._runs.find(str(due["model"]), str(due["run"]))
        except (ValueError, KeyError, TypeError):
            event(_log, "evaluation.unreadable", level=logging.ERROR, characters=len(text))
            return None

    def _close(self, run: Run, why: str) -> None:
        now = self._clock()
        if RunState.FAILED in TRANSITIONS[run.state]:
            reason = f"{why}; POST /api/runs/{run.id}/retry trains on the same data again"
            self._decisions.record(run.model, run.id, RunState.FAILED.value, now, {"reason": reason, "verdict": None})
            self._runs.save(run.advanced(RunState.FAILED, now, reason))
        else:
            self._runs.save(replace(run.unannounced(), waits_for=f"the next attempt: {why}"))
        event(
            _log, "run.given_up", level=logging.ERROR, run_id=run.id, model=run.model, state=run.state.value, reason=why
        )
