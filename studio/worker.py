"""
The worker: takes errands off the queue, runs one job at a time, keeps its lease, notices a cancellation.

A job whose worker died is found by its lease: the queue shows the errand again, and the job is tried once more.
"""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from shared.errors import Changed
from shared.logs import event
from shared.secret import Secret
from studio.jobs import LEASE, MAX_ATTEMPTS, Job, JobState
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts
from studio.store.jobs import JobStore
from studio.store.queue import Errand, JobQueue, Message
from studio.training_order import Outcome, TrainingOrder
from studio.training_process import TrainingProcess

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5  # how soon a cancellation is noticed
_IDLE_S = (0.1, 1.0)  # shortest and longest pause between two looks into an empty queue
_OUTAGE_PAUSE_S = 2.0
_SOON = timedelta(seconds=1)
_SERVICE, _LIBRARY = "Batch execution", 1000


@dataclass(frozen=True)
class Bench:
    """What training takes beside the job: the own account, the hosts allowed, the number of threads."""

    storage: Secret
    hosts: frozenset[str]
    threads: int


class Worker:
    """
    Runs errands until `stop` is set.

    Args:
        clock: Returns the present instant in UTC.
    """

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        artifacts: Artifacts,
        bench: Bench,
        stop: threading.Event,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._artifacts = artifacts
        self._bench = bench
        self._stop = stop
        self._clock = clock or (lambda: datetime.now(UTC))

    def run(self) -> None:
        """Work until stopped; a storage outage only makes it wait."""
        shortest, longest = _IDLE_S
        pause = shortest
        while not self._stop.is_set():
            try:
                pause = shortest if self.step() else min(pause * 1.5, longest)
            except AzureError as error:
                event(_log, "storage.failed", level=logging.WARNING, reason=type(error).__name__)
                pause = _OUTAGE_PAUSE_S
            self._stop.wait(pause)

    def step(self) -> bool:
        """Do one errand; False when the queue showed none."""
        message = self._queue.receive()
        if message is None:
            return False
        job = self._store.get(message.endpoint_id, message.job_id)
        if job is None or job.is_final:
            self._queue.done(message)
        elif message.errand is Errand.SETTLE:
            self._settle(job, message)
        else:
            self._run_if_free(job, message)
        return True

    def _settle(self, job: Job, message: Message) -> None:
        """Drop a job that was never started; ask again for one whose RUN may have been lost between two saves."""
        try:
            if job.is_expired(self._clock()):
                self._store.remove(job)
                event(_log, "job.expired", job_id=job.id)
            elif job.state is JobState.QUEUED:
                self._queue.ask_to_run(job.endpoint_id, job.id)
        except Changed:
            self._queue.hold(message, _SOON)
            return
        self._queue.done(message)

    def _run_if_free(self, job: Job, message: Message) -> None:
        now = self._clock()
        if job.is_held(now) and job.lease_until is not None:
            self._queue.hold(message, job.lease_until - now + _SOON)
            return
        if job.state is JobState.RUNNING and job.attempts >= MAX_ATTEMPTS:
            problem = f"the worker stopped unexpectedly in {job.attempts} attempts; submit the job again"
            self._end(job, message, Outcome.failed(_SERVICE, _LIBRARY, problem))
            return
        try:
            claimed = self._store.save(job.claimed(now))
        except Changed:
            self._queue.hold(message, _SOON)
            return
        event(_log, "job.claimed", job_id=job.id, endpoint_id=job.endpoint_id, attempt=claimed.attempts)
        self._run(claimed, message)

    def _run(self, job: Job, message: Message) -> None:
        try:
            experiment = self._artifacts.get(ArtifactKind.EXPERIMENT, job.experiment).decode()
        except ArtifactMissing as error:
            self._end(job, message, Outcome.failed(_SERVICE, _LIBRARY, str(error)))
            return
        with tempfile.TemporaryDirectory(prefix="studio-job-") as directory:
            bench = self._bench
            order = TrainingOrder(job.id, experiment, job.request, bench.storage, bench.hosts, directory, bench.threads)
            process = TrainingProcess(order)
            try:
                self._attend(job, message, process)
            finally:
                process.close()

    def _attend(self, job: Job, message: Message, process: TrainingProcess) -> None:
        """Wait for the end of a job, renewing its lease; stop at once when the job is no longer ours."""
        renewed_at = self._clock()
        while (outcome := process.outcome(_LOOK_EVERY_S)) is None:
            if self._stop.is_set():
                self._give_back(job, message)
                return
            if self._ours(job) is None:
                self._abandon(job, message)
                return
            if self._clock() - renewed_at >= LEASE / 3:
                renewed_at = self._clock()
                message = self._renew(job, message, renewed_at)
        self._end(job, message, outcome)

    def _ours(self, job: Job) -> Job | None:
        """Read the job again; None when it was cancelled, removed or taken over."""
        try:
            stored = self._store.get(job.endpoint_id, job.id)
        except AzureError:
            return job  # nobody can have cancelled through a storage account that does not answer
        if stored is None or stored.state is not JobState.RUNNING or stored.attempts != job.attempts:
            return None
        return stored

    def _renew(self, job: Job, message: Message, now: datetime) -> Message:
        try:
            self._store.save(replace(self._ours(job) or job, lease_until=now + LEASE))
            return self._queue.hold(message)
        except (Changed, AzureError) as error:  # the next look sees why, or the next renewal passes
            event(_log, "lease.not_renewed", level=logging.WARNING, job_id=job.id, reason=type(error).__name__)
            return message

    def _end(self, job: Job, message: Message, outcome: Outcome) -> None:
        now = self._clock()
        stored = self._ours(job)
        try:
            if stored is None:
                raise Changed(job.id)
            self._store.save(stored.ended(outcome.state, now, outcome.details))
        except Changed:
            self._abandon(job, message)
            return
        seconds = round((now - (job.started_at or now)).total_seconds(), 3)
        event(_log, "job.ended", job_id=job.id, state=outcome.state.value, details=outcome.details, seconds=seconds)
        self._queue.done(message)

    def _abandon(self, job: Job, message: Message) -> None:
        event(_log, "job.abandoned", job_id=job.id, reason="cancelled or taken over")
        self._queue.done(message)

    def _give_back(self, job: Job, message: Message) -> None:
        """Let another worker start the job over: this one was asked to stop."""
        try:
            current = self._ours(job) or job
            self._store.save(current.to(JobState.QUEUED, lease_until=None, attempts=job.attempts - 1))
        except Changed:
            self._queue.done(message)
            return
        self._queue.hold(message, timedelta())
        event(_log, "job.given_back", job_id=job.id)
