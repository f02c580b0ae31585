"""Batch execution: submit, start, report and cancel a job. The worker does the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from shared.errors import Changed
from shared.wire import JobReport, JobRequest
from studio.batch.jobs import Job, JobState
from studio.blobs.blob_access import BlobAccess
from studio.errors import InvalidOperation, NotFound, Unavailable
from studio.services.keys import is_id, new_id
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue

_MAX_RACES = 5


class Batches:
    """
    What callers do to jobs; every step may be repeated, and loses politely to whoever moved first.

    Args:
        clock: Returns the present instant in UTC.
    """

    def __init__(
        self, store: JobStore, queue: JobQueue, blobs: BlobAccess, clock: Callable[[], datetime] | None = None
    ) -> None:
        self._store = store
        self._queue = queue
        self._blobs = blobs
        self._clock = clock or (lambda: datetime.now(UTC))

    def submit(
        self, endpoint_id: str, experiment: str, request: JobRequest, model: str = "", request_id: str = ""
    ) -> Job:
        """
        Store a job that waits for its start call.

        Args:
            experiment: Digest of the declaration.
            model: Digest of the model that will score; empty when the job trains one.
            request_id: The HTTP request's, by which the log shows what came of it.
        """
        created_at = self._clock()
        job = Job(new_id(), endpoint_id, experiment, request, created_at, model=model, request_id=request_id)
        # Asked before the insert: a crash between the two leaves a message about nothing, never an unwatched job.
        self._queue.ask_to_settle(endpoint_id, job.id)
        self._store.insert(job)
        return job

    def start(self, endpoint_id: str, job_id: str) -> None:
        """
        Queue a submitted job.

        One that is queued already is refused, but its errand is sent again: the first call may have failed in between.

        Raises:
            InvalidOperation: CannotStartJob, since the job was started or cancelled before.
            NotFound: No such job, or one that has expired.
        """
        job = self._find(endpoint_id, job_id)
        if job.state is JobState.QUEUED:
            self._queue.ask_to_run(endpoint_id, job_id)
        if job.state is not JobState.SUBMITTED:
            raise _cannot_start(job)
        try:
            self._store.save(job.to(JobState.QUEUED))
        except Changed:
            raise _cannot_start(self._find(endpoint_id, job_id)) from None
        self._queue.ask_to_run(endpoint_id, job_id)

    def report(self, endpoint_id: str, job_id: str) -> JobReport:
        """Say where a job is; a finished one's results carry tokens made now."""
        job = self._find(endpoint_id, job_id)
        if job.state is not JobState.FINISHED:
            return JobReport(job.status, details=job.details)
        now = self._clock()
        return JobReport(
            job.status, {name: self._blobs.result(place, now) for name, place in job.request.outputs.items()}
        )

    def finished(self, endpoint_id: str, job_id: str) -> Job:
        """
        Return a job that has finished, for what it has written.

        Raises:
            InvalidOperation: CannotStartJob, what follows the job cannot start: it has not finished.
            NotFound: No such job.
        """
        job = self._find(endpoint_id, job_id)
        if job.state is not JobState.FINISHED:
            reason = f"; {job.details}" if job.details else ""
            raise InvalidOperation(
                "CannotStartJob", f"job '{job.id}' has not finished: it is {job.status.value}{reason}"
            )
        return job

    def cancel(self, endpoint_id: str, job_id: str) -> None:
        """
        Cancel a job that has not ended; forget one that has finished or failed, without touching its outputs.

        Cancelling twice is the same as once.
        """
        for _ in range(_MAX_RACES):
            job = self._find(endpoint_id, job_id)
            try:
                return self._cancel(job)
            except Changed:
                continue  # the worker renewed its lease or ended the job just now: look again
        raise Unavailable("NoMoreResources", f"job '{job_id}' is changing too fast to be cancelled; try again")

    def _cancel(self, job: Job) -> None:
        if job.state in (JobState.FINISHED, JobState.FAILED):
            self._store.remove(job)
        elif job.state is not JobState.CANCELLED:
            self._store.save(job.ended(JobState.CANCELLED, self._clock()))

    def _find(self, endpoint_id: str, job_id: str) -> Job:
        job = self._store.get(endpoint_id, job_id) if is_id(job_id) else None
        if job is None or job.is_expired(self._clock()):
            raise NotFound(
                "JobNotFound",
                f"this endpoint knows no job '{job_id}'; a job that is not started within 5 minutes of its submission "
                "is removed",
            )
        return job


def _cannot_start(job: Job) -> InvalidOperation:
    before = "cancelled" if job.state is JobState.CANCELLED else "started"
    return InvalidOperation(
        "CannotStartJob", f"job '{job.id}' cannot be started: it was {before} before, and is {job.status.value} now"
    )
