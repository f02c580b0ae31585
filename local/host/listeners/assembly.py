"""All listeners of a host, by the triggers of its functions."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from local.host.errors import HostError
from local.host.functions import BlobTrigger, FunctionDefinition, QueueOutput, QueueTrigger, TimerTrigger
from local.host.host_json import HostJson
from local.host.invocation import Invoker
from local.host.listeners.blob_queue import BlobQueue
from local.host.listeners.blob_scanner import BlobScanner, Registration
from local.host.listeners.lease import SingletonLock
from local.host.listeners.queue import QueueListener
from local.host.listeners.queue_trigger import queue_listener
from local.host.listeners.timer import TimerListener
from local.host.listeners.timer_status import TimerMonitor
from local.host.settings import Settings
from local.host.storage import host_container


class _Listener(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...

    def drain(self) -> None: ...


class Listeners:
    """
    Starts and stops them together.

    Raises:
        HostError: Blob or timer triggers need the host's own storage, which is not configured or not reachable.
    """

    def __init__(
        self,
        functions: Sequence[FunctionDefinition],
        invoker: Invoker,
        options: HostJson,
        settings: Settings,
        host_id: str,
        *,
        blob_scan_interval_s: float,
    ) -> None:
        self._invoker = invoker
        self._options = options
        self._settings = settings
        self._host_id = host_id
        self._queues: dict[tuple[str, str], list[QueueListener]] = {}
        active = [function for function in functions if not function.is_disabled]
        timers = [(f, f.trigger) for f in active if isinstance(f.trigger, TimerTrigger)]
        blobs = [(f, f.trigger) for f in active if isinstance(f.trigger, BlobTrigger)]
        self._all: list[_Listener] = [self._queue(f, f.trigger) for f in active if isinstance(f.trigger, QueueTrigger)]
        self.blob_queue: BlobQueue | None = None
        try:
            self._all += [self._timer(function, trigger) for function, trigger in timers]
            if blobs:
                self.blob_queue = self._blob_queue(blobs)
                scanner = self._scanner(blobs, self.blob_queue, blob_scan_interval_s)
                self._all += [self.blob_queue.listener, scanner]
        except AzureError as error:
            raise HostError(
                f"The storage of this host (AzureWebJobsStorage) cannot be used: {error.message}"
            ) from error

    def start(self) -> None:
        """Start every listener."""
        for listener in self._all:
            listener.start()

    def stop(self) -> None:
        """Take no more work."""
        for listener in self._all:
            listener.stop()

    def drain(self, timeout_s: float | None = None) -> None:
        """Wait until running work has ended, at most so long."""
        threads = [threading.Thread(target=listener.drain, daemon=True) for listener in self._all]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout_s)

    def wake(self, output: QueueOutput) -> None:
        """Let listeners of a queue that has just been written to look at once."""
        for listener in self._queues.get((output.connection, output.queue), ()):
            listener.wake()

    def _queue(self, function: FunctionDefinition, trigger: QueueTrigger) -> QueueListener:
        listener = queue_listener(function, trigger, self._invoker, self._options.queues)
        self._queues.setdefault((trigger.connection, trigger.queue), []).append(listener)
        return listener

    def _timer(self, function: FunctionDefinition, trigger: TimerTrigger) -> TimerListener:
        container = self._container()
        monitor = TimerMonitor(container, self._host_id, function.full_name) if trigger.use_monitor else None
        return TimerListener(function, trigger, self._invoker, self._lock(f"{function.full_name}.Listener"), monitor)

    def _blob_queue(self, registrations: Sequence[Registration]) -> BlobQueue:
        return BlobQueue(
            self._settings.connection(""),
            self._host_id,
            {function.full_name: (function, trigger) for function, trigger in registrations},
            self._invoker,
            self._options.blobs,
            self._options.queues,
        )

    def _scanner(self, registrations: Sequence[Registration], queue: BlobQueue, interval_s: float) -> BlobScanner:
        lock = self._lock("WebJobs.Internal.Blobs.Listener")
        return BlobScanner(registrations, queue, self._container(), self._host_id, lock, interval_s=interval_s)

    def _lock(self, name: str) -> SingletonLock:
        return SingletonLock(self._container(), self._host_id, name, self._options.singleton)

    def _container(self) -> ContainerClient:
        return host_container(self._settings.connection(""))
