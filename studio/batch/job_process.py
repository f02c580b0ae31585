"""A batch job in a process of its own, forked from a warm one: imports are paid once, a crash costs one job."""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing import forkserver
from multiprocessing.connection import Connection

from studio.batch.job_order import MADE, JobOrder, Outcome

_LIBRARY = 1000  # Studio's module error number
# A fork server stays single-threaded, so its forks are safe; forking this process, with its storage clients, is not.
_CONTEXT = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Start the process that jobs are forked from, with the engine and the storage client imported; it never trains."""
    _CONTEXT.set_forkserver_preload(["studio.batch.job_process", "studio.batch.job_execution"])
    forkserver.ensure_running()


class JobProcess:
    """One order under way."""

    def __init__(self, order: JobOrder) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_perform, args=(theirs, order), daemon=True)
        self._process.start()
        theirs.close()
        self._order = order
        self._deadline: float | None = time.monotonic() + order.limits.seconds

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    def outcome(self, wait_s: float) -> Outcome | None:
        """Wait up to `wait_s` seconds for the end; None while the process still works within its time."""
        if not self._pipe.poll(wait_s):
            return self._overdue()
        try:
            said = self._pipe.recv_bytes()
        except (EOFError, OSError):
            return self._crashed()
        if said != MADE:
            return Outcome.from_bytes(said)
        self._deadline = None  # writing the outputs may have to wait for storage; that has a limit of its own
        return None

    def close(self) -> None:
        """End the process, now if it still works, and free what it held."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()

    def _overdue(self) -> Outcome | None:
        if self._deadline is None or time.monotonic() < self._deadline:
            return None
        order = self._order
        problem = f"the job was stopped after {order.limits.seconds:g} seconds, its limit; {order.advice}"
        return Outcome.failed(order.module, _LIBRARY, problem)

    def _crashed(self) -> Outcome:
        self._process.join()
        code = self._process.exitcode or 0
        cause = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return Outcome.crashed(self._order.module, _LIBRARY, f"the job's process ended with exit code {code}{cause}")


def _perform(pipe: Connection, order: JobOrder) -> None:
    from studio.batch.job_execution import perform  # warm where this runs; the worker itself never loads the learners

    perform(pipe, order)
