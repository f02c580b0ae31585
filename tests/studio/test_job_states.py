"""Which state of a batch job may follow which, and when a job expires or loses its worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import IllegalTransition
from shared.wire import JobRequest, JobStatus
from studio.batch.jobs import LEASE, UNSTARTED_LIFETIME, Job, JobState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S = JobState
ALLOWED = {
    (S.SUBMITTED, S.QUEUED),
    (S.SUBMITTED, S.CANCELLED),
    (S.QUEUED, S.RUNNING),
    (S.QUEUED, S.CANCELLED),
    (S.RUNNING, S.RUNNING),
    (S.RUNNING, S.QUEUED),
    (S.RUNNING, S.FINISHED),
    (S.RUNNING, S.FAILED),
    (S.RUNNING, S.CANCELLED),
}


def job(state: JobState, **fields: object) -> Job:
    return Job("1" * 32, "2" * 32, "digest", JobRequest(), NOW, state, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("before", list(JobState))
@pytest.mark.parametrize("after", list(JobState))
def test_every_pair_of_states_is_either_a_transition_or_refused(before: JobState, after: JobState) -> None:
    if (before, after) in ALLOWED:
        assert job(before).to(after).state is after
    else:
        with pytest.raises(IllegalTransition):
            job(before).to(after)


@pytest.mark.parametrize(
    ("state", "on_the_wire"),
    [
        (S.SUBMITTED, JobStatus.NOT_STARTED),
        (S.QUEUED, JobStatus.NOT_STARTED),
        (S.RUNNING, JobStatus.RUNNING),
        (S.FINISHED, JobStatus.FINISHED),
        (S.FAILED, JobStatus.FAILED),
        (S.CANCELLED, JobStatus.CANCELLED),
    ],
)
def test_each_state_has_one_spelling_on_the_wire(state: JobState, on_the_wire: JobStatus) -> None:
    assert job(state).status is on_the_wire


@pytest.mark.parametrize(
    ("state", "age", "expired"),
    [
        (S.SUBMITTED, UNSTARTED_LIFETIME - timedelta(seconds=1), False),
        (S.SUBMITTED, UNSTARTED_LIFETIME, True),
        (S.QUEUED, UNSTARTED_LIFETIME * 10, False),
    ],
)
def test_only_an_unstarted_job_expires(state: JobState, age: timedelta, expired: bool) -> None:
    assert job(state).is_expired(NOW + age) is expired


def test_a_claimed_job_is_held_until_its_lease_ends() -> None:
    claimed = job(S.QUEUED).claimed(NOW)

    assert claimed.is_held(NOW + LEASE - timedelta(seconds=1))
    assert not claimed.is_held(NOW + LEASE)
    assert claimed.attempts == 1


def test_a_second_claim_counts_but_keeps_the_time_of_the_first() -> None:
    later = NOW + timedelta(minutes=1)

    again = job(S.QUEUED).claimed(NOW).claimed(later)

    assert (again.attempts, again.started_at) == (2, NOW)
