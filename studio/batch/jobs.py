"""Batch jobs: the record, its states, and which state may follow which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from shared.errors import IllegalTransition
from shared.wire import JobRequest, JobStatus

UNSTARTED_LIFETIME = timedelta(minutes=5)
LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 2  # a job whose worker died is tried once more
MAX_RUNNING = 40  # jobs of one endpoint at the same time; the rest wait in order


class JobState(Enum):
    """Where a job is; the wire tells SUBMITTED and QUEUED apart from nothing else, both are NotStarted."""

    SUBMITTED = "SUBMITTED"  # waits for its start call, and evaporates without one
    QUEUED = "QUEUED"  # started by the caller, waits for a worker
    RUNNING = "RUNNING"  # a worker holds its lease
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


_NEXT = {
    JobState.SUBMITTED: {JobState.QUEUED, JobState.CANCELLED},
    JobState.QUEUED: {JobState.RUNNING, JobState.CANCELLED},
    # RUNNING again: another worker takes over; QUEUED again: a worker that stops in good order gives the job back.
    JobState.RUNNING: {
        JobState.RUNNING,
        JobState.QUEUED,
        JobState.FINISHED,
        JobState.FAILED,
        JobState.CANCELLED,
    },
    JobState.FINISHED: set(),
    JobState.FAILED: set(),
    JobState.CANCELLED: set(),
}

_ON_THE_WIRE = {
    JobState.SUBMITTED: JobStatus.NOT_STARTED,
    JobState.QUEUED: JobStatus.NOT_STARTED,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.FINISHED: JobStatus.FINISHED,
    JobState.FAILED: JobStatus.FAILED,
    JobState.CANCELLED: JobStatus.CANCELLED,
}


@dataclass(frozen=True)
class Job:
    """
    One batch execution. A change makes a new record.

    `experiment` is the digest of the declaration in force at submission, `model` that of the model which served then,
    empty for a job that trains one. `request_id` is that of the HTTP request that submitted it. `request.outputs` names
    every output, those without connection or base location being in the service's own storage. Times are UTC.
    """

    id: str
    endpoint_id: str
    experiment: str
    request: JobRequest
    created_at: datetime
    state: JobState = JobState.SUBMITTED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    lease_until: datetime | None = None
    attempts: int = 0
    details: str | None = None
    model: str = ""
    request_id: str = ""
    etag: str = ""

    @property
    def status(self) -> JobStatus:
        """The state in the protocol's words."""
        return _ON_THE_WIRE[self.state]

    @property
    def ids(self) -> dict[str, Any]:
        """What names the job in the log."""
        return {"job_id": self.id, "request_id": self.request_id} if self.request_id else {"job_id": self.id}

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not _NEXT[self.state]

    def is_expired(self, now: datetime) -> bool:
        """Whether the job was never started and its time is over."""
        return self.state is JobState.SUBMITTED and now - self.created_at >= UNSTARTED_LIFETIME

    def is_held(self, now: datetime) -> bool:
        """Whether a worker runs the job and has renewed its lease in time."""
        return self.state is JobState.RUNNING and self.lease_until is not None and now < self.lease_until

    def to(self, state: JobState, **changes: Any) -> Job:
        """
        Return the record in the next state.

        Raises:
            IllegalTransition: That state cannot follow the present one.
        """
        if state not in _NEXT[self.state]:
            raise IllegalTransition(self.id, self.state.value, state.value)
        return replace(self, state=state, **changes)

    def claimed(self, now: datetime, lease: timedelta = LEASE) -> Job:
        """Return the record as the worker that takes the job saves it."""
        return self.to(
            JobState.RUNNING, started_at=self.started_at or now, lease_until=now + lease, attempts=self.attempts + 1
        )

    def ended(self, state: JobState, now: datetime, details: str | None = None) -> Job:
        """Return the record in a final state; of its request stays what a finished job's results are signed with."""
        kept = JobRequest(outputs=self.request.outputs) if state is JobState.FINISHED else JobRequest()
        return self.to(state, ended_at=now, lease_until=None, details=details, request=kept)
