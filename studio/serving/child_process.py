"""Processes that `serve` starts beside itself: started again when they die, ended together with it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence

from shared.logs import event

STOP_WITHIN_S = 15.0  # a scoring process lets its requests end, a worker gives its job back

_RESTART_PAUSE_S = 0.5

_log = logging.getLogger(__name__)


class ChildProcess:
    """
    `python -m …` as a child; its standard input is a pipe that closes when this process ends, in whatever way.

    Args:
        name: What it is, for the log.
        environment: Replaces this process's own; the values may be secrets and are never logged.
        descriptors: Open files that the child gets under the same numbers.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> None:
        self._name = name
        self._command = [sys.executable, "-m", *arguments]
        self._environment = environment
        self._descriptors = tuple(descriptors)
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._process = self._started()
        event(_log, f"{name}.started", **self._pid)
        threading.Thread(target=self._restart_for_ever, daemon=True).start()

    def ask_to_stop(self) -> None:
        """Begin the end, without waiting for it."""
        with self._starting:
            self._stopping.set()
            self._process.terminate()

    def stop(self) -> None:
        """Ask the process to stop and wait for it; one that takes too long is killed."""
        self.ask_to_stop()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            event(_log, f"{self._name}.killed", level=logging.ERROR, **self._pid)
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    @property
    def _pid(self) -> dict[str, int]:
        return {f"{self._name}_pid": self._process.pid}

    def _restart_for_ever(self) -> None:
        while True:
            code = self._process.wait()
            if self._stopping.wait(_RESTART_PAUSE_S):
                return
            with self._starting:
                if self._stopping.is_set():
                    return
                self._process = self._started()
            event(_log, f"{self._name}.restarted", level=logging.ERROR, exit_code=code, **self._pid)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own modules, no shell
            self._command, stdin=subprocess.PIPE, env=dict(self._environment), pass_fds=self._descriptors
        )
