"""Moves open runs on by what their jobs say, up to the hand-over to evaluation."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from shared.adapters.batch import BatchClient
from shared.adapters.blobs import BlobStore
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.domain.model import Model
from shared.domain.runs import (
    TRANSITIONS,
    Announce,
    Cancel,
    End,
    HandOver,
    NoteStarted,
    Run,
    RunState,
    Start,
    Submit,
    Wait,
    decide,
    is_overdue,
)
from shared.errors import ProtocolMismatch, ServiceRejected, ServiceUnavailable, StateConflict
from shared.logs import event, masked
from shared.retraining import Clock
from shared.wire import MODEL_EXTENSION, JobReport, JobRequest

_log = logging.getLogger(__name__)
_STEPS_AT_ONCE = 4  # more is the next tick's business
_TOKEN_MARGIN = timedelta(hours=1)  # a reference outlives the job that uses it


class Advancing:
    """Takes open runs from RECEIVED to EVALUATING; every step may be repeated."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        records: ModelTable,
        blobs: BlobStore,
        batch: Callable[[Model], BatchClient],
        clock: Clock,
    ) -> None:
        self._models, self._runs, self._records, self._blobs = models, runs, records, blobs
        self._batch, self._clock = batch, clock

    def advance_all(self) -> list[str]:
        """Advance every open run; return the messages that hand runs over to evaluation."""
        messages = []
        for run in self._runs.open():
            try:
                if self.advance(run):
                    messages.append(json.dumps({"model": run.model, "run": run.id}))
            except StateConflict:
                continue  # another worker has it
            except ServiceUnavailable as later:
                event(_log, "run.delayed", level=logging.WARNING, run_id=run.id, reason=str(later))
            except Exception:
                _log.exception("run.stuck %s", run.id)  # one run's surprise is not the others' business
        return messages

    def advance(self, run: Run) -> bool:
        """
        Take as many steps as are possible now; return whether the run is to be handed over to evaluation.

        Raises:
            ServiceUnavailable: The service did not answer; the run stands where it stood.
            StateConflict: Another worker moved the run.
        """
        model = self._models.get(run.model)
        if model is None:
            self._fail(run, f"models.toml no longer declares '{run.model}'")
            return False
        try:
            return self._advance(run, model)
        except (ServiceRejected, ProtocolMismatch) as refused:
            self._fail(run, str(refused))
        except ServiceUnavailable as away:
            if not is_overdue(run, self._clock(), model.policy):
                raise
            self._fail(run, f"the service stayed away for longer than {model.policy.training_budget}: {away}")
        return False

    def _fail(self, run: Run, reason: str) -> None:
        current = self._runs.find(run.model, run.id) or run
        if RunState.FAILED in TRANSITIONS[current.state]:
            self._move(current, RunState.FAILED, reason)

    def _advance(self, run: Run, model: Model) -> bool:
        for _ in range(_STEPS_AT_ONCE):
            report = self._report(run, model)
            details = masked(report.details or "") if report else ""
            step = decide(run, report.status if report else None, self._clock(), model.policy, details)
            match step:
                case Submit():
                    run = self._submit(run, model)
                case Start():
                    self._batch(model).start(run.job_id, run.id)
                    self._move(run, RunState.TRAINING)
                    return False
                case NoteStarted():
                    run = self._move(run, RunState.TRAINING)
                case HandOver():
                    self._move(run, RunState.EVALUATING)
                    return True
                case Announce():
                    return self._announce(run)
                case Cancel(reason):
                    self._batch(model).cancel(run.job_id, run.id)
                    run = self._move(run, RunState.TIMED_OUT, reason)
                case End(state, reason):
                    if self._is_attended(run):
                        return False
                    run = self._move(run, state, reason)
                case Wait():
                    return False
        return False

    def _report(self, run: Run, model: Model) -> JobReport | None:
        at_service = run.state in (RunState.SUBMITTED, RunState.TRAINING)
        return self._batch(model).report(run.job_id, run.id) if at_service else None

    def _submit(self, run: Run, model: Model) -> Run:
        """Submit a job that does nothing yet, and save its id before it is started."""
        lifetime = model.policy.training_budget + _TOKEN_MARGIN
        service = model.training
        request = JobRequest(
            inputs={service.input: self._blobs.reference(run.training_blob, write=False, lifetime=lifetime)},
            outputs={
                port: self._blobs.reference(artifact(run, extension), write=True, lifetime=lifetime)
                for port, extension in service.outputs.items()
            },
            parameters=service.parameters,
        )
        job_id = self._batch(model).submit(request, run.id)
        return self._move(run, RunState.SUBMITTED, job_id=job_id, submitted_at=run.submitted_at or self._clock())

    def _announce(self, run: Run) -> bool:
        """Hand over again, unless a worker is busy with the model's endpoints."""
        if self._is_attended(run):
            return False
        self._runs.save(replace(run, updated_at=self._clock()))
        return True

    def _is_attended(self, run: Run) -> bool:
        """Whether a worker is busy with the endpoints that this run is judged on."""
        if run.state in (RunState.RECEIVED, RunState.SUBMITTED, RunState.TRAINING):
            return False
        record = self._records.load(run.model)
        return bool(record.lease and record.lease_until and record.lease_until > self._clock())

    def _move(self, run: Run, state: RunState, reason: str = "", **changes: object) -> Run:
        moved = self._runs.save(run.advanced(state, self._clock(), reason, **changes))
        level = logging.WARNING if state in (RunState.FAILED, RunState.TIMED_OUT) else logging.INFO
        event(
            _log,
            "run.advanced",
            level=level,
            run_id=run.id,
            model=run.model,
            state_from=run.state.value,
            state_to=state.value,
            job_id=moved.job_id or None,
            reason=reason or None,
        )
        return moved


def artifact(run: Run, extension: str) -> str:
    """Return where a run's model or metrics are kept, `container/path`."""
    return f"{run.artifacts}/{'model' if extension == MODEL_EXTENSION else 'metrics'}{extension}"
