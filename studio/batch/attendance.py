"""
A claimed job and its process: the lease is renewed, a cancellation stops it, its end is saved.

Storage that does not answer only makes it wait: a job that was trained meanwhile is not trained again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from azure.core.exceptions import AzureError

from shared.errors import Changed
from shared.logs import event
from studio.batch.job_order import Outcome
from studio.batch.job_process import JobProcess
from studio.batch.jobs import MAX_ATTEMPTS, Job, JobState
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue, Message

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5  # how soon a cancellation is noticed
_ASK_AGAIN_S = 1.0

_Answer = TypeVar("_Answer")


class Stopping(Exception):
    """The worker was asked to stop while it waited for storage."""


@dataclass(frozen=True)
class Desk:
    """What every attended job needs; `stop` ends the worker, `clock` returns the present instant in UTC."""

    store: JobStore
    queue: JobQueue
    stop: threading.Event
    lease: timedelta
    clock: Callable[[], datetime]

    def patiently(self, action: Callable[[], _Answer]) -> _Answer:
        """Repeat an action until storage answers; Stopping when the worker has to end before that."""
        while True:
            try:
                return action()
            except AzureError as error:
                event(_log, "storage.awaited", level=logging.WARNING, reason=type(error).__name__)
                if self.stop.wait(_ASK_AGAIN_S):
                    raise Stopping from error


class Attendance:
    """One claimed job, from its claim to its end."""

    def __init__(self, desk: Desk, job: Job, message: Message) -> None:
        self._desk = desk
        self._job = job
        self._message = message
        self._renewed_at = desk.clock()

    def attend(self, process: JobProcess) -> None:
        """Wait for the end of the process, renewing the lease; return at once when the job is no longer ours."""
        while (outcome := process.outcome(_LOOK_EVERY_S)) is None:
            if self._desk.stop.is_set():
                self._give_back("the worker stops", attempts=self._job.attempts - 1)
                return
            if self._ours() is None:
                self._abandon()
                return
            self._renew_in_time()
        self.conclude(outcome)

    def conclude(self, outcome: Outcome) -> None:
        """End the job, or let it be tried once more after its first crash."""
        if outcome.is_crash and self._job.attempts < MAX_ATTEMPTS:
            self._give_back(outcome.details or "", attempts=self._job.attempts)
        else:
            self.end(outcome)

    def end(self, outcome: Outcome) -> None:
        """Save how the job ended, and take its errand off the queue; waits while storage is out."""
        self._desk.patiently(lambda: self._save_end(outcome))
        self._desk.patiently(lambda: self._desk.queue.done(self._message))

    def _save_end(self, outcome: Outcome) -> None:
        now, stored = self._desk.clock(), self._read()
        if stored is None:
            event(_log, "job.abandoned", **self._job.ids, reason="cancelled or taken over")
            return
        try:
            self._desk.store.save(stored.ended(outcome.state, now, outcome.details))
        except Changed:
            self._save_end(outcome)  # cancelled just now, or this very save went through unanswered
            return
        seconds = round((now - (self._job.started_at or now)).total_seconds(), 3)
        event(_log, "job.ended", **self._job.ids, state=outcome.state.value, details=outcome.details, seconds=seconds)

    def _read(self) -> Job | None:
        """Read the job again; None when it was cancelled, removed or taken over."""
        stored = self._desk.store.get(self._job.endpoint_id, self._job.id)
        if stored is None or stored.state is not JobState.RUNNING or stored.attempts != self._job.attempts:
            return None
        return stored

    def _ours(self) -> Job | None:
        try:
            return self._read()
        except AzureError:
            return self._job  # nobody can have cancelled through a storage account that does not answer

    def _renew_in_time(self) -> None:
        now = self._desk.clock()
        if now - self._renewed_at < self._desk.lease / 3:
            return
        try:
            self._desk.store.save(replace(self._ours() or self._job, lease_until=now + self._desk.lease))
            self._renewed_at = now
            self._message = self._desk.queue.hold(self._message)
        except (Changed, AzureError) as error:  # the next look sees why, or the next renewal passes
            event(_log, "lease.not_renewed", level=logging.WARNING, **self._job.ids, reason=type(error).__name__)

    def _give_back(self, reason: str, *, attempts: int) -> None:
        """Let a worker start the job over."""
        try:
            current = self._desk.patiently(self._read)
            if current is None:
                raise Changed(self._job.id)
            self._desk.store.save(current.to(JobState.QUEUED, lease_until=None, attempts=attempts))
        except Changed:
            self._abandon()
            return
        self._desk.queue.hold(self._message, timedelta())
        event(_log, "job.given_back", **self._job.ids, reason=reason)

    def _abandon(self) -> None:
        event(_log, "job.abandoned", **self._job.ids, reason="cancelled or taken over")
        self._desk.queue.done(self._message)
