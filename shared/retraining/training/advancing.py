"""Moves one run on by what its job says, up to the hand-over to evaluation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from shared.adapters.batch import BatchClient
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.domain.lifecycle.budgets import is_overdue
from shared.domain.lifecycle.remedies import Remedy, advice, is_given_up, pause_after, remedy_of
from shared.domain.lifecycle.runs import TRANSITIONS, Run, RunState
from shared.domain.lifecycle.steps import (
    AT_SERVICE,
    Announce,
    Cancel,
    End,
    HandOver,
    NoteStarted,
    Start,
    Submit,
    Wait,
    decide,
)
from shared.domain.model import Model
from shared.errors import ProtocolMismatch, ServiceError, ServiceRejected, ServiceUnavailable
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.setting_aside import SettingAside
from shared.retraining.training.admission import Admission
from shared.retraining.training.submission import Submission
from shared.wire import JobReport

_log = logging.getLogger(__name__)
_STEPS_AT_ONCE = 4  # more is the next tick's business


@dataclass(frozen=True)
class Progress:
    """
    What came of one look at a run.

    Attributes:
        run: The run as it was saved last.
        is_handed_over: Whether its evaluation is to be announced.
        unavailable: Why it could not go on now; the pause that this calls for is not saved yet.
        obstacle: The limit of its model that keeps it back; not saved yet.
    """

    run: Run
    is_handed_over: bool = False
    unavailable: ServiceUnavailable | None = None
    obstacle: str = ""

    @property
    def is_stopped(self) -> bool:
        """Whether nothing more can be done with the run now."""
        return self.is_handed_over or bool(self.unavailable or self.obstacle)


class Advancing:
    """Takes open runs from RECEIVED to EVALUATING; every step may be repeated."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        batch: Callable[[Model], BatchClient],
        admission: Admission,
        submission: Submission,
        setting_aside: SettingAside,
        clock: Clock,
    ) -> None:
        self._models, self._runs, self._records, self._batch = models, runs, records, batch
        self._admission, self._submission, self._setting_aside = admission, submission, setting_aside
        self._clock = clock

    def advance(self, run: Run) -> bool:
        """
        Take as many steps as are possible now, and save the pause where the service did not let it go on.

        Returns:
            Whether the run is to be handed over to evaluation.

        Raises:
            StateConflict: Another worker moved the run.
        """
        progress = self.look(run)
        if (waiting := self.waiting(progress)) is not None:
            self._runs.save(waiting)
        return progress.is_handed_over

    def look(self, run: Run) -> Progress:
        """
        Take as many steps as are possible now.

        Raises:
            StateConflict: Another worker moved the run.
        """
        model = self._models.get(run.model)
        if model is None:
            return Progress(self._end(run, RunState.FAILED, f"models.toml no longer declares '{run.model}'"))
        for _ in range(_STEPS_AT_ONCE):
            progress = self._try_step(run, model)
            if progress.is_stopped or progress.run is run:
                return progress
            run = progress.run
        return Progress(run)

    def waiting(self, progress: Progress) -> Run | None:
        """Return the run with what it waits for, to be saved; None when that is saved already, or nothing."""
        run, away = progress.run, progress.unavailable
        if away:
            until = self._clock() + pause_after(run.attempts + 1, run.id)
            event(_log, "run.delayed", level=logging.WARNING, run_id=run.id, until=until.isoformat(), reason=str(away))
            return run.postponed(until, f"the service: {away}")
        held = progress.obstacle and progress.obstacle != run.waits_for
        return replace(run, waits_for=progress.obstacle) if held else None

    def _try_step(self, run: Run, model: Model) -> Progress:
        try:
            return self._step(run, model)
        except ServiceUnavailable as away:
            return self._delayed(run, model, away)
        except (ServiceRejected, ProtocolMismatch) as refused:
            return self._refused(run, refused)

    def _delayed(self, run: Run, model: Model, away: ServiceUnavailable) -> Progress:
        if is_given_up(remedy_of(away.code, away.status), run.attempts + 1):
            return Progress(self._stop(run, f"{away}; refused {run.attempts + 1} times in a row"))
        if is_overdue(run, self._clock(), model.policy) and RunState.TIMED_OUT in TRANSITIONS[run.state]:
            budget = model.policy.budget_of(run.state.value)
            unsure = f"; whether job '{run.job_id}' still runs is not known" if run.job_id else ""
            state = RunState.CANCELLED if run.cancel_reason else RunState.TIMED_OUT
            wanted = f"{run.cancel_reason}; " if run.cancel_reason else ""
            reason = f"{wanted}the service stayed away beyond {budget}: {away}{unsure}"
            return Progress(self._end(run, state, reason))
        return Progress(run, unavailable=away)

    def _refused(self, run: Run, refused: ServiceError) -> Progress:
        remedy = remedy_of(refused.code, refused.status)
        if remedy is Remedy.FRESH_TOKEN and not is_given_up(remedy, run.attempts + 1):
            # Each submit hands out new tokens, so trying again is asking with a fresh one.
            return Progress(run, unavailable=ServiceUnavailable(refused.operation, str(refused)))
        if remedy is Remedy.QUARANTINE:
            self._setting_aside.quarantine(run, str(refused))
            return Progress(self._end(run, RunState.FAILED, str(refused)))
        return Progress(self._stop(run, str(refused), advice(refused.code)))

    def _stop(self, run: Run, reason: str, hint: str = "") -> Run:
        """End a run whose trouble no new attempt and no other data can cure."""
        event(
            _log, "run.stopped", level=logging.ERROR, run_id=run.id, model=run.model, reason=reason, advice=hint or None
        )
        return self._end(run, RunState.FAILED, f"{reason}; {hint}" if hint else reason)

    def _step(self, run: Run, model: Model) -> Progress:
        if run.stray_jobs:
            return Progress(self._submission.drop_strays(run, model))
        if run.state is RunState.RECEIVED and not run.cancel_reason:
            turn = self._admission.ask(run, model)
            if turn.obstacle:
                return Progress(run, obstacle=turn.obstacle)
            run = replace(run, queued_since=turn.since)
        report = self._report(run, model)
        details = report.details or "" if report else ""
        match decide(run, report.status if report else None, self._clock(), model.policy, details):
            case Submit():
                return Progress(self._submission.submit(run, model))
            case Start():
                self._batch(model).start(run.job_id, run.id)
                self._move(run, RunState.TRAINING)
                return Progress(run)  # a job that was just started has nothing to say yet
            case NoteStarted():
                return Progress(self._move(run, RunState.TRAINING))
            case HandOver():
                return Progress(self._move(run, RunState.EVALUATING, is_announced=True), is_handed_over=True)
            case Announce():
                return self._announce(run, model)
            case Cancel(state, reason):
                self._batch(model).cancel(run.job_id, run.id)
                return Progress(self._end(run, state, reason))
            case End(state, reason):
                return Progress(run if self._is_attended(run) else self._end(run, state, reason))
            case Wait():
                return Progress(run)

    def _report(self, run: Run, model: Model) -> JobReport | None:
        wanted = run.state in AT_SERVICE and not run.cancel_reason
        return self._batch(model).report(run.job_id, run.id) if wanted else None

    def _announce(self, run: Run, model: Model) -> Progress:
        """Hand over again, unless a worker is busy with the model's endpoints."""
        if self._is_attended(run):
            return Progress(run)
        now = self._clock()
        if is_overdue(run, now, model.policy):
            reason = f"in {run.state.value} for longer than {model.policy.budget_of(run.state.value)}"
            event(_log, "run.overdue", level=logging.ERROR, run_id=run.id, model=run.model, reason=reason)
        pause = pause_after(run.attempts + 1 + run.is_announced, run.id, first=model.policy.lost_after)
        return Progress(self._runs.save(run.announced(now + pause)), is_handed_over=True)

    def _is_attended(self, run: Run) -> bool:
        """Whether a worker is busy with the endpoints that this run is judged on."""
        if run.state is RunState.RECEIVED or run.state in AT_SERVICE:
            return False
        return self._records.load(run.model).is_leased(self._clock())

    def _end(self, run: Run, state: RunState, reason: str) -> Run:
        """Close a run where its state allows it; a begun promotion has ends of its own."""
        return self._move(run, state, reason) if state in TRANSITIONS[run.state] else run

    def _move(self, run: Run, state: RunState, reason: str = "", *, is_announced: bool = False) -> Run:
        return self._runs.save(run.advanced(state, self._clock(), reason, is_announced=is_announced))
