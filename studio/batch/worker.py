"""
The worker: takes errands off the queue and runs one job at a time, as its limits and those of the machine allow.

A job whose worker died is found by its lease: the queue shows the errand again, and the job is tried once more.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.core.exceptions import AzureError

from shared.errors import Changed
from shared.logs import event
from shared.secret import Secret
from studio.batch.attendance import Attendance, Desk, Stopping
from studio.batch.doorbell import Doorbell
from studio.batch.job_order import JobOrder, Outcome
from studio.batch.job_process import JobProcess
from studio.batch.jobs import LEASE, MAX_ATTEMPTS, MAX_RUNNING, Job, JobState
from studio.batch.training_slot import TrainingSlots
from studio.operation import JobLimits
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts
from studio.store.jobs import JobStore, JobUnreadable
from studio.store.queue import Errand, JobQueue, Message

_log = logging.getLogger(__name__)

_IDLE_S = (0.05, 1.0)  # shortest and longest pause between two looks into an empty queue
_GROWTH = 1.5
_OUTAGE_PAUSE_S = 1.0
_PLACE_LOOK_S = 0.05
_STOP_LOOK_S = 0.1
_SOON = timedelta(seconds=1)
_CROWDED = timedelta(seconds=2)
_CHORE_EVERY = timedelta(hours=1)
_UNREADABLE_LOOKS = 3  # one of several workers may have been started with another secret
_SERVICE, _LIBRARY = "Batch execution", 1000


@dataclass(frozen=True)
class Bench:
    """What training takes beside the job: own account, hosts allowed, threads, limits, lease, the form of the log."""

    storage: Secret
    hosts: frozenset[str]
    threads: int
    limits: JobLimits = field(default_factory=JobLimits)
    lease: timedelta = LEASE
    logs_json: bool = False


class Worker:
    """
    Runs errands until `stop` is set.

    Args:
        clock: Returns the present instant in UTC.
        slots: Places to train on this machine; None for a place that nobody else can take.
        bell: Rings when a job was queued nearby; None for a worker on a machine of its own.
        chore: Done about once an hour, when no job waits.
        prepare: Creates in storage what is needed there, before anything else is done.
    """

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        artifacts: Artifacts,
        bench: Bench,
        stop: threading.Event,
        clock: Callable[[], datetime] | None = None,
        slots: TrainingSlots | None = None,
        bell: Doorbell | None = None,
        chore: Callable[[], object] | None = None,
        prepare: Callable[[], object] | None = None,
    ) -> None:
        self._store = store
        self._queue = queue
        self._artifacts = artifacts
        self._bench = bench
        self._stop = stop
        self._clock = clock or (lambda: datetime.now(UTC))
        self._slots = slots
        self._desk = Desk(store, queue, stop, bench.lease, self._clock)
        self._bell = bell
        self._chore = chore
        self._prepare = prepare
        self._chore_at = self._clock() + _CHORE_EVERY
        self._settled_from: datetime | None = None

    def run(self) -> None:
        """Work until stopped; a storage outage only makes it wait."""
        shortest, longest = _IDLE_S
        pause = shortest
        while not self._stop.is_set():
            try:
                self._prepare_once()
                pause = 0.0 if self.step() else min(max(pause, shortest) * _GROWTH, longest)
                if pause == longest:
                    self._do_chore()
            except Stopping:
                break
            except AzureError as error:
                self._note_outage(error)
                pause = _OUTAGE_PAUSE_S
            if self._rang_within(pause):
                pause = 0.0

    def step(self) -> bool:
        """Wait for a place to train on this machine, and do one errand there; False when the queue showed none."""
        try:
            while self._slots is not None and not self._slots.take():
                if self._stop.wait(_PLACE_LOOK_S):
                    return False
            message = self._queue.receive()
            if message is not None:
                self._do(message)
            return message is not None
        finally:
            if self._slots is not None:
                self._slots.free()

    def _rang_within(self, seconds: float) -> bool:
        """Pause until the doorbell rings, the worker has to stop, or the time is over."""
        if self._bell is None:
            self._stop.wait(seconds)
            return False
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stop.is_set():
            if self._bell.wait(min(left, _STOP_LOOK_S)):
                return True
        return False

    def _prepare_once(self) -> None:
        if self._prepare is not None:
            self._prepare()
            self._prepare = None

    def _do_chore(self) -> None:
        if self._chore is not None and self._clock() >= self._chore_at:
            self._chore_at = self._clock() + _CHORE_EVERY
            self._chore()

    def _note_outage(self, error: AzureError) -> None:
        event(_log, "storage.failed", level=logging.WARNING, reason=type(error).__name__)
        # Workers could not renew their leases meanwhile: each gets the time to do so before its job is taken over.
        self._settled_from = self._clock() + self._bench.lease

    def _do(self, message: Message) -> None:
        try:
            job = self._store.get(message.endpoint_id, message.job_id)
        except JobUnreadable as error:
            self._give_up(message, error)
            return
        if job is None or job.is_final:
            self._queue.done(message)
        elif message.errand is Errand.SETTLE:
            self._settle(job, message)
        else:
            self._run_if_free(job, message)

    def _give_up(self, message: Message, error: JobUnreadable) -> None:
        """Leave a job that cannot be read to other workers, and fail it when they had their turn."""
        event(_log, "job.unreadable", level=logging.ERROR, job_id=message.job_id, reason=str(error))
        if message.n_looks < _UNREADABLE_LOOKS:
            self._queue.hold(message, self._bench.lease)
            return
        problem = "what is stored of this job cannot be read; submit the job again"
        try:
            details = Outcome.failed(_SERVICE, _LIBRARY, problem).details or ""
            self._store.fail_unread(message.endpoint_id, message.job_id, self._clock(), details)
        except Changed:
            self._queue.hold(message, _SOON)
            return
        self._queue.done(message)

    def _settle(self, job: Job, message: Message) -> None:
        """Drop a job that was never started; ask again for one whose RUN may have been lost between two saves."""
        try:
            if job.is_expired(self._clock()):
                self._store.remove(job)
                event(_log, "job.expired", **job.ids)
            elif job.state is JobState.QUEUED:
                self._queue.ask_to_run(job.endpoint_id, job.id)
        except Changed:
            self._queue.hold(message, _SOON)
            return
        self._queue.done(message)

    def _run_if_free(self, job: Job, message: Message) -> None:
        now = self._clock()
        pause = self._not_before(job, now)
        if pause is not None:
            self._queue.hold(message, pause)
            return
        if job.state is JobState.RUNNING and job.attempts >= MAX_ATTEMPTS:
            problem = f"the worker stopped unexpectedly in {job.attempts} attempts; submit the job again"
            Attendance(self._desk, job, message).end(Outcome.failed(_SERVICE, _LIBRARY, problem))
            return
        try:
            claimed = self._store.save(job.claimed(now, self._bench.lease))
        except Changed:
            self._queue.hold(message, _SOON)
            return
        event(_log, "job.claimed", **job.ids, endpoint_id=job.endpoint_id, attempt=claimed.attempts)
        self._run(claimed, Attendance(self._desk, claimed, message))

    def _not_before(self, job: Job, now: datetime) -> timedelta | None:
        """How long a job has to be left alone; None when it may be run now."""
        if job.is_held(now) and job.lease_until is not None:
            return job.lease_until - now + _SOON
        if job.state is JobState.RUNNING:
            may_renew_until = self._settled_from or now
            return may_renew_until - now + _SOON if now < may_renew_until else None
        return _CROWDED if self._store.n_ahead(job) >= MAX_RUNNING else None

    def _run(self, job: Job, attendance: Attendance) -> None:
        with tempfile.TemporaryDirectory(prefix="studio-job-") as directory:
            try:
                order = self._order(job, directory)
            except ArtifactMissing as error:
                attendance.end(Outcome.failed(_SERVICE, _LIBRARY, str(error)))
                return
            try:
                process = JobProcess(order)
            except (OSError, EOFError) as error:  # the process that jobs are forked from was killed just now
                problem = f"the job's process could not be started ({type(error).__name__})"
                attendance.conclude(Outcome.crashed(_SERVICE, _LIBRARY, problem))
                return
            event(_log, "job.started", **job.ids, attempt=job.attempts, process=process.pid)
            try:
                attendance.attend(process)
            finally:
                process.close()

    def _order(self, job: Job, directory: str) -> JobOrder:
        """Write an order out of what was kept; a model goes by file. Raises ArtifactMissing."""
        experiment = self._kept(ArtifactKind.EXPERIMENT, job.experiment)
        model_file = None
        if job.model:
            model_file = Path(directory, "model.ilearner")
            model_file.write_bytes(self._kept(ArtifactKind.MODEL, job.model))
        bench = self._bench
        return JobOrder(
            ids=job.ids,
            experiment=experiment.decode(),
            request=job.request,
            storage=bench.storage,
            hosts=bench.hosts,
            directory=directory,
            threads=bench.threads,
            limits=bench.limits,
            logs_json=bench.logs_json,
            model_file=str(model_file) if model_file else None,
        )

    def _kept(self, kind: ArtifactKind, digest: str) -> bytes:
        return self._desk.patiently(lambda: self._artifacts.get(kind, digest))
