"""
A run: one attempt to turn training data into the live endpoint's next model.

`decide` chooses the next step from the stored record and what the service says of the job; carrying it out is the
business of `shared.retraining`. Source: docs/architecture.md, "Run states".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.errors import IllegalTransition
from shared.wire import JobStatus


class RunState(Enum):
    """Where a run stands; the value is what tables, logs and answers show."""

    RECEIVED = "RECEIVED"  # the data is accepted; no job is known yet
    SUBMITTED = "SUBMITTED"  # the job's id is saved; it may not have been started
    TRAINING = "TRAINING"  # the job was started
    EVALUATING = "EVALUATING"  # the job finished; its model is being judged
    PROMOTING = "PROMOTING"  # the verdict is saved; the live endpoint is being changed
    RESTORING = "RESTORING"  # the proof failed; the champion is being put back
    PROMOTED = "PROMOTED"  # the live endpoint was seen to give the challenger's answers
    REJECTED = "REJECTED"  # the gate refused the challenger: a success of the system
    NO_CHANGE = "NO_CHANGE"  # challenger and champion cannot be told apart
    SUPERSEDED = "SUPERSEDED"  # newer data has overtaken it
    ROLLED_BACK = "ROLLED_BACK"  # the champion was put back and seen to answer
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not TRANSITIONS[self]


_S = RunState
CAME_TO_NOTHING = frozenset({_S.FAILED, _S.CANCELLED, _S.TIMED_OUT})
_ENDS = CAME_TO_NOTHING
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _S.RECEIVED: _ENDS | {_S.SUBMITTED},
    _S.SUBMITTED: _ENDS | {_S.SUBMITTED, _S.TRAINING, _S.EVALUATING},
    _S.TRAINING: _ENDS | {_S.EVALUATING},
    _S.EVALUATING: _ENDS | {_S.PROMOTING, _S.REJECTED, _S.NO_CHANGE, _S.SUPERSEDED},
    # Once the PATCH may have been sent there are two ways out only: proven, or the champion is back.
    _S.PROMOTING: frozenset({_S.PROMOTED, _S.RESTORING, _S.EVALUATING}),
    _S.RESTORING: frozenset({_S.ROLLED_BACK}),
    **{
        state: frozenset()
        for state in (_S.PROMOTED, _S.REJECTED, _S.NO_CHANGE, _S.SUPERSEDED, _S.ROLLED_BACK, *sorted(_ENDS, key=str))
    },
}


@dataclass(frozen=True)
class Run:
    """
    One stored run.

    Instants are timezone-aware UTC. `datasets` are names for people, `dataset_keys` the ledger's keys.
    `training_blob` and `artifacts` are `container/path`; the job trains on the version `training_etag` of the one and
    writes its outputs below the other. `verdict` is the judged evidence as plain JSON. `version` is the ETag read.
    """

    id: str
    model: str
    state: RunState
    created_at: datetime
    updated_at: datetime
    datasets: tuple[str, ...]
    dataset_keys: tuple[str, ...]
    training_blob: str
    training_etag: str
    artifacts: str
    job_id: str = ""
    submitted_at: datetime | None = None
    reason: str = ""
    stages: tuple[tuple[str, datetime], ...] = ()
    verdict: dict[str, Any] | None = None
    judged_champion: str = ""
    version: str = field(default="", compare=False)

    def advanced(self, state: RunState, now: datetime, reason: str = "", **changes: Any) -> Run:
        """
        Return the run in its next state.

        Raises:
            IllegalTransition: `TRANSITIONS` does not allow it.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.id, self.state.value, state.value)
        stages = (*self.stages, (state.value, now))
        return replace(self, state=state, updated_at=now, reason=reason, stages=stages, **changes)


@dataclass(frozen=True)
class Policy:
    """
    How long a run may wait.

    Attributes:
        training_budget: From submission to the end of the job; afterwards the job is cancelled. Also how long a service
            may be away before a run that waits for it ends.
        evaluation_budget: From the job's end to a verdict.
        handover_patience: How long a handed-over run may show no progress before it is handed over again.
    """

    training_budget: timedelta = timedelta(hours=6)
    evaluation_budget: timedelta = timedelta(minutes=30)
    handover_patience: timedelta = timedelta(seconds=5)


@dataclass(frozen=True)
class Submit:
    """Submit a job; save its id."""


@dataclass(frozen=True)
class Start:
    """Start the saved job."""


@dataclass(frozen=True)
class NoteStarted:
    """The job is under way although that was never saved: save it."""


@dataclass(frozen=True)
class HandOver:
    """Save that evaluation is due, then announce it."""


@dataclass(frozen=True)
class Announce:
    """Announce an evaluation again: its message was lost or its worker died."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do before the next look."""


@dataclass(frozen=True)
class Cancel:
    """Tell the service to drop the job, then end."""

    reason: str


@dataclass(frozen=True)
class End:
    """Close the run in a final state."""

    state: RunState
    reason: str


Step = Submit | Start | NoteStarted | HandOver | Announce | Wait | Cancel | End


def is_overdue(run: Run, now: datetime, policy: Policy) -> bool:
    """Whether a run that waits for its job has waited longer than it may."""
    return now - (run.submitted_at or run.created_at) > policy.training_budget


def decide(run: Run, job: JobStatus | None, now: datetime, policy: Policy, details: str = "") -> Step:
    """
    Choose the next step of one run.

    Pure: equal arguments give equal steps, so a tick may be repeated safely.

    Args:
        run: The stored record.
        job: What the service says of the job; None while no job id is saved or the job no longer matters.
        now: Instant of this tick, timezone-aware UTC.
        policy: Budgets.
        details: The service's words on a job that did not finish.
    """
    if run.state.is_final:
        return Wait()
    if run.state is RunState.RECEIVED:
        overdue = is_overdue(run, now, policy)
        return End(RunState.TIMED_OUT, f"no job within {policy.training_budget}") if overdue else Submit()
    if run.state in (RunState.SUBMITTED, RunState.TRAINING):
        return _decide_job(run, job, now, policy, details)
    return _decide_evaluation(run, now, policy)


def _decide_job(run: Run, job: JobStatus | None, now: datetime, policy: Policy, details: str) -> Step:
    if job is JobStatus.FINISHED:
        return HandOver()
    if job is JobStatus.FAILED:
        return End(RunState.FAILED, f"training failed: {details or 'the service gave no details'}")
    if job is JobStatus.CANCELLED:
        return End(RunState.CANCELLED, "the service says that the job was cancelled")
    if is_overdue(run, now, policy):
        return Cancel(f"training took longer than {policy.training_budget}")
    if job is JobStatus.GONE:
        # A job that was never started evaporates, so nothing was trained and nothing doubles.
        if run.state is RunState.SUBMITTED:
            return Submit()
        return End(RunState.FAILED, "the service no longer knows the job")
    if run.state is RunState.SUBMITTED:
        return Start() if job is JobStatus.NOT_STARTED else NoteStarted() if job is JobStatus.RUNNING else Wait()
    return Wait()


def _decide_evaluation(run: Run, now: datetime, policy: Policy) -> Step:
    judging_since = next((at for state, at in reversed(run.stages) if state == RunState.EVALUATING.value), now)
    if run.state is RunState.EVALUATING and now - judging_since > policy.evaluation_budget:
        return End(RunState.TIMED_OUT, f"no verdict within {policy.evaluation_budget}")
    return Announce() if now - run.updated_at > policy.handover_patience else Wait()
