"""Keeps one worker alive: when it dies, the next is started, and invocations wait for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from local.host.errors import AppError, WorkerGone
from local.host.messages import Invoke, Outcome, Source
from local.host.worker_process import WorkerProcess

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0


class Supervisor:
    """
    The worker that runs invocations now.

    A worker that cannot be started again (the app was edited and is broken) is tried again after growing pauses.
    """

    def __init__(self, start_worker: Callable[[], WorkerProcess]) -> None:
        self._start_worker = start_worker
        self._worker: WorkerProcess | None = None
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._keeper: threading.Thread | None = None

    def start(self) -> Sequence[Source]:
        """
        Start the first worker and return the app's functions.

        Raises:
            AppError: The app cannot be loaded.
        """
        worker, functions = self._loaded_worker()
        self._worker = worker
        self._keeper = threading.Thread(target=self._keep, args=(worker,), name="worker-keeper", daemon=True)
        self._keeper.start()
        return functions

    def invoke(self, request: Invoke) -> tuple[WorkerProcess, Future[Outcome]]:
        """
        Send an invocation to the live worker, waiting for one if there is none; return both, so that it can be killed.

        Raises:
            WorkerGone: The host is stopping.
        """
        while True:
            worker = self._live()
            try:
                return worker, worker.invoke(request)
            except WorkerGone:
                self._await_successor(worker)

    @property
    def worker(self) -> WorkerProcess | None:
        """The live worker; None between two."""
        return self._worker

    def stop(self) -> None:
        """End the worker; what it still runs fails."""
        self._stopping.set()
        with self._changed:
            worker = self._worker
            self._changed.notify_all()
        if worker:
            worker.stop()
        if self._keeper:
            self._keeper.join()

    def _live(self) -> WorkerProcess:
        with self._changed:
            self._changed.wait_for(lambda: self._worker is not None or self._stopping.is_set())
            if self._worker is None or self._stopping.is_set():
                raise WorkerGone("the host is stopping")
            return self._worker

    def _await_successor(self, worker: WorkerProcess) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._worker is not worker or self._stopping.is_set())

    def _loaded_worker(self) -> tuple[WorkerProcess, Sequence[Source]]:
        worker = self._start_worker()
        try:
            return worker, worker.functions()
        except AppError:
            worker.kill()
            worker.wait()
            raise

    def _keep(self, worker: WorkerProcess) -> None:
        while True:
            worker.wait()
            self._become(None)
            if self._stopping.is_set():
                return
            _LOG.error("The worker process %d ended (%s); another is started.", worker.pid, worker.epitaph())
            successor = self._successor()
            if successor is None:
                return
            worker = successor
            self._become(worker)
            if self._stopping.is_set():
                worker.stop()  # it came up while the host was being stopped

    def _become(self, worker: WorkerProcess | None) -> None:
        with self._changed:
            self._worker = worker
            self._changed.notify_all()

    def _successor(self) -> WorkerProcess | None:
        pause = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                return self._loaded_worker()[0]
            except AppError as error:
                _LOG.error("The worker cannot be started again: %s", error)
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        return None
