"""`decide` over the full product of states and job statuses, deadlines, and the table of legal transitions."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.domain.lifecycle.budgets import Policy, is_overdue
from shared.domain.lifecycle.runs import TRANSITIONS, Run, RunState
from shared.domain.lifecycle.steps import (
    AT_SERVICE,
    Announce,
    Cancel,
    End,
    HandOver,
    NoteStarted,
    Start,
    Step,
    Submit,
    Wait,
    decide,
)
from shared.errors import IllegalTransition
from shared.wire import JobStatus as Job

T0 = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(
    queued_budget=timedelta(hours=2),
    training_budget=timedelta(hours=1),
    evaluation_budget=timedelta(minutes=30),
    promoting_budget=timedelta(minutes=10),
    handover_patience=timedelta(seconds=20),
)
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
STEPS: dict[RunState, dict[Job, type[Step]]] = {
    S.SUBMITTED: ENDED | {Job.NOT_STARTED: Start, Job.RUNNING: NoteStarted, Job.UNKNOWN: Wait, Job.GONE: Submit},
    S.TRAINING: ENDED | {Job.NOT_STARTED: Wait, Job.RUNNING: Wait, Job.UNKNOWN: Wait, Job.GONE: End},
}


def expected_in_time(state: RunState, job: Job | None) -> type[Step]:
    if state is S.RECEIVED:
        return Submit
    return STEPS[state][job] if state in STEPS and job else Wait


PAIRS = [(s, j) for s, j in itertools.product(RunState, [None, *Job]) if j or s not in STEPS]


@pytest.mark.parametrize(("state", "job"), PAIRS)
def test_every_state_and_status_within_its_budget_has_one_step(state: RunState, job: Job | None) -> None:
    step = decide(a_run(state), job, T0 + timedelta(seconds=1), POLICY)

    assert type(step) is expected_in_time(state, job)


@pytest.mark.parametrize("state", [S.SUBMITTED, S.TRAINING])
@pytest.mark.parametrize("job", [Job.NOT_STARTED, Job.RUNNING, Job.UNKNOWN, Job.GONE])
def test_a_job_over_budget_is_cancelled(state: RunState, job: Job) -> None:
    budget = POLICY.budget_of(state.value)
    assert budget
    late = T0 + budget + timedelta(seconds=1)

    step = decide(a_run(state), job, late, POLICY)

    assert isinstance(step, Cancel)
    assert step.state is S.TIMED_OUT


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

    assert decide(a_run(S.EVALUATING), None, late, POLICY) == End(S.TIMED_OUT, "no verdict within 30 min")
    assert decide(a_run(S.PROMOTING), None, late, POLICY) == Announce()


@pytest.mark.parametrize("state", list(RunState))
def test_every_open_stage_has_a_deadline_and_no_final_one(state: RunState) -> None:
    far = T0 + timedelta(days=365)

    assert is_overdue(a_run(state), far, POLICY) is not state.is_final
    assert not is_overdue(a_run(state), T0 + timedelta(seconds=1), POLICY)


def test_a_run_that_was_held_back_is_queued_from_when_it_was_let_through() -> None:
    late = T0 + POLICY.queued_budget + timedelta(seconds=1)
    let_through = replace(a_run(S.RECEIVED), queued_since=late)

    assert decide(a_run(S.RECEIVED), None, late, POLICY) == End(S.TIMED_OUT, "no job was started within 2 h")
    assert decide(let_through, None, late, POLICY) == Submit()


@pytest.mark.parametrize(("state", "job"), PAIRS)
def test_nothing_happens_during_a_pause(state: RunState, job: Job | None) -> None:
    paused = a_run(state).postponed(T0 + timedelta(minutes=1), "the service: away")

    assert decide(paused, job, T0 + timedelta(seconds=59), POLICY) == Wait()
    assert paused.attempts == 1


@pytest.mark.parametrize(("state", "job"), PAIRS)
def test_a_cancelled_run_ends_wherever_its_state_allows_it(state: RunState, job: Job | None) -> None:
    unwanted = replace(a_run(state), cancel_reason="cancelled by ann: wrong file")

    step = decide(unwanted, job, T0 + timedelta(seconds=1), POLICY)

    if S.CANCELLED in TRANSITIONS[state]:
        assert step == (Cancel if state in AT_SERVICE else End)(S.CANCELLED, "cancelled by ann: wrong file")
    else:
        assert step == Wait()


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


def test_a_held_run_ends_as_the_diagram_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    (drawn,) = re.findall(r"HELD ─l─► (.*)", page)

    assert {RunState(name) for name in drawn.split(" · ")} == TRANSITIONS[S.HELD]
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
