"""A server under measurement: started in a session of its own, asked until it answers, stopped with all it left."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from benchmarks.errors import BenchError
from benchmarks.places import LOGS, ROOT
from benchmarks.processes import family, memory_mb
from local.programs import surroundings

_READY_S = 90.0
_LOOK_EVERY_S = 0.005
_STOP_S = 10.0
_ANSWER_S = 30.0


@dataclass(frozen=True)
class Target:
    """
    A server, how it is started and how it is asked.

    Attributes:
        command: Its command line.
        environment: Added to this process's own; the values may be secrets.
        path: Where requests go; `headers` go with them.
        bodies: The request for each number of rows.
        ready_path: Answers 200 to a GET when a server that holds no model yet is ready; None: it is when it scores.
    """

    name: str
    command: tuple[str, ...]
    port: int
    path: str
    bodies: Mapping[int, Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    ready_path: str | None = None

    @property
    def url(self) -> str:
        """The address that requests go to."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def ask(self, n_rows: int) -> tuple[int, bytes]:
        """Send one request over a connection of its own; returns status and body."""
        headers = {"Content-Type": "application/json", **self.headers}
        return self._call("POST", self.path, self.bodies[n_rows].read_bytes(), headers)

    def is_ready(self) -> bool:
        """Whether it answers as it should."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            status = self._call("GET", self.ready_path)[0] if self.ready_path else self.ask(1)[0]
            return status == http.client.OK
        return False

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWER_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()


class Server:
    """A context manager: inside it the target answers; `cold_start_s` is how long that took from the start."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.cold_start_s = 0.0

    @property
    def pid(self) -> int:
        """Its first process."""
        return self._process.pid

    @property
    def memory_mb(self) -> float:
        """Memory of all its processes."""
        return memory_mb(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send its first process a signal."""
        self._process.send_signal(number)

    def __enter__(self) -> Server:
        self._log = (LOGS / f"{self.target.name}.log").open("ab")
        began = time.perf_counter()
        self._process = subprocess.Popen(
            self.target.command,
            cwd=ROOT,
            env=surroundings(self.target.environment),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait(began + _READY_S)
        except BaseException:
            self._stop()
            raise
        self.cold_start_s = time.perf_counter() - began
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _wait(self, until: float) -> None:
        while not self.target.is_ready():
            if self._process.poll() is not None or time.perf_counter() > until:
                state = "ended by itself" if self._process.poll() is not None else "did not become ready"
                raise BenchError(f"{self.target.name} {state}; its log is {self._log.name}")
            time.sleep(_LOOK_EVERY_S)

    def _stop(self) -> None:
        left = family(self.pid)
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in left:  # a server's children may have outlived it
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._log.close()


def free_port() -> int:
    """Return a loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
