"""`decide` over the full product of states and job statuses, and the table of legal transitions."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.runs import (
    TRANSITIONS,
    Announce,
    Cancel,
    End,
    HandOver,
    NoteStarted,
    Policy,
    Run,
    RunState,
    Start,
    Step,
    Submit,
    Wait,
    decide,
)
from shared.errors import IllegalTransition
from shared.wire import JobStatus as Job

T0 = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(timedelta(hours=1), timedelta(minutes=30), timedelta(seconds=20))
S = RunState


def a_run(state: RunState) -> Run:
    return Run(
        id="census-1",
        model="census",
        state=state,
        created_at=T0,
        updated_at=T0,
        datasets=("census/a.csv",),
        dataset_keys=("k",),
        training_blob="training-data/census/a.csv",
        training_etag="0x1",
        artifacts="artifacts/census/census-1",
        job_id="" if state is S.RECEIVED else "j1",
        submitted_at=None if state is S.RECEIVED else T0,
        stages=((state.value, T0),),
    )


ENDED: dict[Job, type[Step]] = {Job.FINISHED: HandOver, Job.FAILED: End, Job.CANCELLED: End}
AT_SERVICE: dict[RunState, dict[Job, type[Step]]] = {
    S.SUBMITTED: ENDED | {Job.NOT_STARTED: Start, Job.RUNNING: NoteStarted, Job.UNKNOWN: Wait, Job.GONE: Submit},
    S.TRAINING: ENDED | {Job.NOT_STARTED: Wait, Job.RUNNING: Wait, Job.UNKNOWN: Wait, Job.GONE: End},
}


def expected_in_time(state: RunState, job: Job | None) -> type[Step]:
    if state is S.RECEIVED:
        return Submit
    return AT_SERVICE[state][job] if state in AT_SERVICE and job else Wait


PAIRS = [(s, j) for s, j in itertools.product(RunState, [None, *Job]) if j or s not in AT_SERVICE]


@pytest.mark.parametrize(("state", "job"), PAIRS)
def test_every_state_and_status_within_its_budget_has_one_step(state: RunState, job: Job | None) -> None:
    step = decide(a_run(state), job, T0 + timedelta(seconds=1), POLICY)

    assert type(step) is expected_in_time(state, job)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.TRAINING])
@pytest.mark.parametrize("job", [Job.NOT_STARTED, Job.RUNNING, Job.UNKNOWN, Job.GONE])
def test_a_job_over_budget_is_cancelled(state: RunState, job: Job) -> None:
    late = T0 + POLICY.training_budget + timedelta(seconds=1)

    assert isinstance(decide(a_run(state), job, late, POLICY), Cancel)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.TRAINING])
def test_a_job_that_finished_late_is_still_used(state: RunState) -> None:
    assert decide(a_run(state), Job.FINISHED, T0 + timedelta(days=1), POLICY) == HandOver()


@pytest.mark.parametrize(
    ("seconds", "step"),
    [(0, Wait()), (20, Wait()), (21, Announce())],
)
@pytest.mark.parametrize("state", [S.EVALUATING, S.PROMOTING, S.RESTORING])
def test_a_hand_over_without_progress_is_announced_again(state: RunState, seconds: int, step: Step) -> None:
    assert decide(a_run(state), None, T0 + timedelta(seconds=seconds), POLICY) == step


def test_a_run_without_a_verdict_in_time_ends_but_a_begun_promotion_never_does() -> None:
    late = T0 + POLICY.evaluation_budget + timedelta(seconds=1)

    assert decide(a_run(S.EVALUATING), None, late, POLICY) == End(S.TIMED_OUT, "no verdict within 0:30:00")
    assert decide(a_run(S.PROMOTING), None, late, POLICY) == Announce()


def test_a_failed_job_hands_on_the_words_of_the_service() -> None:
    step = decide(a_run(S.TRAINING), Job.FAILED, T0, POLICY, "Error 0003: no rows")

    assert step == End(S.FAILED, "training failed: Error 0003: no rows")


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RunState, RunState)))
def test_only_listed_transitions_are_possible(before: RunState, after: RunState) -> None:
    run = a_run(before)

    if after in TRANSITIONS[before]:
        assert run.advanced(after, T0).state is after
    else:
        with pytest.raises(IllegalTransition, match=f"from {before.value} to {after.value}"):
            run.advanced(after, T0)


def test_every_state_can_be_reached_and_every_open_state_left() -> None:
    reached = {S.RECEIVED}.union(*TRANSITIONS.values())

    assert reached == set(RunState) == set(TRANSITIONS)
    assert {state for state in RunState if state.is_final} == {
        S.PROMOTED, S.REJECTED, S.NO_CHANGE, S.SUPERSEDED, S.ROLLED_BACK, S.FAILED, S.CANCELLED, S.TIMED_OUT,
    }  # fmt: skip


def test_a_begun_promotion_can_only_end_proven_or_restored() -> None:
    ends = {state for state in TRANSITIONS[S.PROMOTING] | TRANSITIONS[S.RESTORING] if state.is_final}

    assert ends == {S.PROMOTED, S.ROLLED_BACK}


def test_an_advanced_run_remembers_when_it_entered_each_state() -> None:
    later = T0 + timedelta(seconds=5)

    run = a_run(S.RECEIVED).advanced(S.SUBMITTED, later, job_id="j1")

    assert run.stages == (("RECEIVED", T0), ("SUBMITTED", later))
    assert run.updated_at == later
    assert replace(run, version="x") == run
