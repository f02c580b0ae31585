"""Training in a process of its own, forked from a warm one: imports are paid once, a crash or a kill costs one job."""

from __future__ import annotations

import multiprocessing
import signal
import time
from multiprocessing import forkserver
from multiprocessing.connection import Connection

from studio.training_order import TRAINED, Outcome, TrainingOrder

_LIBRARY, _TRAINER = 1000, "Train Model"
# A fork server stays single-threaded, so its forks are safe; forking this process, with its storage clients, is not.
_CONTEXT = multiprocessing.get_context("forkserver")


def warm_up() -> None:
    """Start the process that jobs are forked from, with the engine and the storage client imported; it never trains."""
    _CONTEXT.set_forkserver_preload(["studio.training_process", "studio.training_job"])
    forkserver.ensure_running()


class TrainingProcess:
    """One order under way."""

    def __init__(self, order: TrainingOrder) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_perform, args=(theirs, order), daemon=True)
        self._process.start()
        theirs.close()
        self._seconds = order.limits.seconds
        self._deadline: float | None = time.monotonic() + self._seconds

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
        if said != TRAINED:
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
        problem = f"the job was stopped after {self._seconds:g} seconds, its limit; train on fewer rows or fewer trees"
        return Outcome.failed(_TRAINER, _LIBRARY, problem)

    def _crashed(self) -> Outcome:
        self._process.join()
        code = self._process.exitcode or 0
        cause = f" ({signal.Signals(-code).name})" if code < 0 else ""
        return Outcome.crashed(_TRAINER, _LIBRARY, f"the training process ended with exit code {code}{cause}")


def _perform(pipe: Connection, order: TrainingOrder) -> None:
    from studio.training_job import perform  # warm where this runs; the worker itself never loads the learners

    perform(pipe, order)
