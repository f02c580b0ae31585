"""An evaluation that could not go on: the run keeps why, and from when it is tried again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.budgets import is_overdue
from shared.domain.lifecycle.remedies import advice, is_given_up, pause_after, remedy_of
from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.model import Model
from shared.errors import Changed, RetrainError, ServiceUnavailable
from shared.logs import event, masked
from shared.retraining import Clock

_log = logging.getLogger(__name__)
_REASON_CHARACTERS = 500


class Setbacks:
    """Postpones runs that wait for a service, with growing pauses; the ticks take them up again."""

    def __init__(self, models: Mapping[str, Model], runs: RunTable, clock: Clock) -> None:
        self._models, self._runs, self._clock = models, runs, clock

    def postpone(self, run: Run, away: ServiceUnavailable) -> None:
        """Leave a run alone for a while; where its stage has lasted too long already, that is an alarm."""
        current = self._runs.find(run.model, run.id)
        if current is None or current.state.is_final:
            return
        now, attempts = self._clock(), current.attempts + 1
        if current.state is RunState.EVALUATING and is_given_up(remedy_of(away.code, away.status), attempts):
            hint = advice(away.code)
            reason = f"{away}; refused {attempts} times in a row{f'; {hint}' if hint else ''}"
            event(_log, "run.stopped", level=logging.ERROR, run_id=run.id, model=run.model, reason=reason)
            self._save(current.advanced(RunState.FAILED, now, reason))
            return
        model = self._models[run.model]
        late = is_overdue(current, now, model.policy)
        until = now + pause_after(attempts, run.id)
        event(
            _log,
            "run.delayed",
            level=logging.ERROR if late else logging.WARNING,
            run_id=run.id,
            model=run.model,
            state=current.state.value,
            until=until.isoformat(),
            reason=str(away),
        )
        self._save(current.postponed(until, f"the service: {away}"))

    def queue_again(self, run: Run) -> None:
        """Have a run announced again whose message came while another run used the endpoints."""
        current = self._runs.find(run.model, run.id)
        if current and not current.state.is_final and current.is_announced:
            self._save(current.unannounced())

    def note(self, run: Run, surprise: Exception) -> None:
        """Keep with the run what nobody foresaw; the platform delivers again, and gives up in the end."""
        current = self._runs.find(run.model, run.id)
        if current and not current.state.is_final:
            own = isinstance(surprise, RetrainError)
            said = masked(str(surprise) if own else f"{type(surprise).__name__}: {surprise}")[:_REASON_CHARACTERS]
            self._save(replace(current, waits_for=said))

    def _save(self, run: Run) -> None:
        with suppress(Changed):  # another worker moved it: it has seen more
            self._runs.save(run)
