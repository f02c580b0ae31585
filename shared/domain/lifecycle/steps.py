"""
The next step of a run, from its record and from what the service says of its job.

Carrying a step out is the business of `shared.retraining`. Source: docs/architecture.md, "Run states".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.domain.lifecycle.budgets import Policy, is_overdue
from shared.domain.lifecycle.runs import TRANSITIONS, Run, RunState
from shared.domain.spans import span
from shared.wire import JobStatus

AT_SERVICE = frozenset({RunState.SUBMITTED, RunState.TRAINING})  # a job of theirs may be under way

# These need the endpoints of their model, which one run after the other may use.
AT_ENDPOINTS = frozenset({RunState.EVALUATING, RunState.PROMOTING, RunState.RESTORING})


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
    """Announce an evaluation again: its message was lost, or came to nothing."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do before the next look."""


@dataclass(frozen=True)
class Cancel:
    """Tell the service to drop the job, then end."""

    state: RunState
    reason: str


@dataclass(frozen=True)
class End:
    """Close the run in a final state."""

    state: RunState
    reason: str


Step = Submit | Start | NoteStarted | HandOver | Announce | Wait | Cancel | End


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
    if run.cancel_reason and RunState.CANCELLED in TRANSITIONS[run.state]:
        return (Cancel if run.state in AT_SERVICE else End)(RunState.CANCELLED, run.cancel_reason)
    if run.state.is_final or (run.due_at and now < run.due_at):
        return Wait()
    if run.state is RunState.RECEIVED:
        return End(RunState.TIMED_OUT, _no_start(policy)) if is_overdue(run, now, policy) else Submit()
    if run.state in AT_SERVICE:
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
        late = _no_start(policy) if run.state is RunState.SUBMITTED else _no_end(policy)
        return Cancel(RunState.TIMED_OUT, late)
    if job is JobStatus.GONE:
        # A job that was never started evaporates, so nothing was trained and nothing doubles.
        if run.state is RunState.SUBMITTED:
            return Submit()
        return End(RunState.FAILED, "the service no longer knows the job")
    if run.state is RunState.SUBMITTED:
        return Start() if job is JobStatus.NOT_STARTED else NoteStarted() if job is JobStatus.RUNNING else Wait()
    return Wait()


def _decide_evaluation(run: Run, now: datetime, policy: Policy) -> Step:
    if run.state is RunState.HELD:
        late = End(RunState.TIMED_OUT, f"nobody decided within {span(policy.approval_budget)}")
        return late if is_overdue(run, now, policy) else Wait()
    if run.state is RunState.EVALUATING and is_overdue(run, now, policy):
        return End(RunState.TIMED_OUT, f"no verdict within {span(policy.evaluation_budget)}")
    patience = policy.lost_after if run.is_announced else policy.handover_patience
    return Announce() if now - run.updated_at > patience else Wait()


def _no_start(policy: Policy) -> str:
    return f"no job was started within {span(policy.queued_budget)}"


def _no_end(policy: Policy) -> str:
    return f"training took longer than {span(policy.training_budget)}"
