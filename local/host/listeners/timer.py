"""Runs one function on its schedule: never twice at once, once for however many runs were missed."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from azure.core.exceptions import AzureError

from local.host.functions import FunctionDefinition, TimerTrigger
from local.host.invocation import Call, Invoker
from local.host.listeners.lease import SingletonLock
from local.host.listeners.timer_status import TimerMonitor, TimerStatus
from local.host.messages import Datum, Kind

_LOG = logging.getLogger(__name__)
_LONGEST_WAIT_S = 30.0  # wall-clock time may jump while a computer sleeps


def utc_now() -> datetime:
    """The present moment, timezone-aware."""
    return datetime.now(UTC)


class TimerListener:
    """
    One timer, on a thread of its own; one host at a time runs it.

    Args:
        monitor: Keeps the status between runs of the host; None when the trigger wants none.
    """

    def __init__(
        self,
        function: FunctionDefinition,
        trigger: TimerTrigger,
        invoker: Invoker,
        lock: SingletonLock,
        monitor: TimerMonitor | None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._invoker = invoker
        self._lock = lock
        self._monitor = monitor
        self._now = now
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"timer-{function.name}", daemon=True)

    def start(self) -> None:
        """Begin to keep the schedule, as soon as no other host does."""
        self._thread.start()

    def stop(self) -> None:
        """Start no more runs; one that has begun goes on."""
        self._stopping.set()

    def drain(self) -> None:
        """Wait until a run that has begun has ended."""
        self._thread.join()

    def _run(self) -> None:
        if not self._lock.acquire(self._stopping):
            return
        try:
            self._keep_schedule()
        finally:
            self._lock.release()

    def _keep_schedule(self) -> None:
        status, is_past_due = self._first_status()
        if is_past_due or self._trigger.run_on_startup:
            status = self._fire(status, is_past_due=is_past_due, is_startup=True)
        while self._wait_until(status.next_at):
            status = self._fire(status)

    def _first_status(self) -> tuple[TimerStatus, bool]:
        now = self._now()
        if self._monitor is not None:
            try:
                return self._monitor.begin(self._trigger.schedule, now)
            except AzureError as error:
                _LOG.error("The status of the timer '%s' cannot be read: %s", self._function.name, error.message)
        return TimerStatus.first(self._trigger.schedule, now), False

    def _wait_until(self, moment: datetime) -> bool:
        """Answer False when the host stops first. A moment that is past is answered at once."""
        while not self._stopping.is_set():
            left_s = (moment - self._now()).total_seconds()
            if left_s <= 0:
                return True
            self._stopping.wait(min(left_s, _LONGEST_WAIT_S))
        return False

    def _fire(self, status: TimerStatus, *, is_past_due: bool = False, is_startup: bool = False) -> TimerStatus:
        """Run once and return the status after it; ticks missed meanwhile become one run that follows at once."""
        started_at = self._now()
        self._invoke(status, is_past_due=is_past_due)
        after = status.after(self._trigger.schedule, started_at if is_startup else max(started_at, status.next_at))
        if self._monitor is not None:
            try:
                self._monitor.save(after)
            except AzureError as error:
                _LOG.error("The status of the timer '%s' cannot be kept: %s", self._function.name, error.message)
        return after

    def _invoke(self, status: TimerStatus, *, is_past_due: bool) -> None:
        value = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_wire() if self._monitor else None,
            "IsPastDue": is_past_due,
        }
        reason = f"Timer fired at {self._now().isoformat()}"
        call = Call(self._function, Datum(Kind.JSON, json.dumps(value)), reason)
        self._invoker.run_with_retries(call, lambda seconds: not self._stopping.wait(seconds))
