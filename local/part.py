"""
One program of the local environment as a child process with a log file of its own.

A part is a process group: Ctrl-C in a terminal reaches the parent alone, which stops the parts in their order.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import requests

from local.errors import LocalError
from local.places import short

_PAUSE_S = 0.05
_TAIL_LINES = 15


class Part:
    """Starts, watches and stops one program."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path):
        """
        Args:
            environment: Replaces this process's own; the values may be secrets and are never logged.
            folder: Where the program runs.
            log: Takes what the program prints, appended.
        """
        self.name, self.log = name, log
        self._command, self._environment, self._folder = list(command), dict(environment), folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the program; its standard input stays open as long as this process lives."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=self._folder,
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise LocalError(f"{self.name} could not be started: {error}") from error

    def wait_until_ready(self, url: str, within_s: float, check: Callable[[], None] = lambda: None) -> None:
        """
        Wait for a 200 from an address.

        Args:
            check: Called while waiting; raises when another part has died.
        """
        until = time.monotonic() + within_s
        while not _answers(url):
            self.check()
            check()
            if time.monotonic() > until:
                raise LocalError(f"{self.name} was not ready within {within_s:.0f} s.{last_lines(self.log)}")
            time.sleep(_PAUSE_S)

    def check(self) -> None:
        """Raise LocalError with the log's last lines if the program has ended."""
        code = self._process.poll() if self._process else None
        if code is not None:
            raise LocalError(f"{self.name} has ended by itself ({_ended(code)}).{last_lines(self.log)}")

    def stop(self, within_s: float = 15.0) -> None:
        """End the program: SIGTERM, and after `within_s` seconds SIGKILL, for it and for what it left behind."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


def last_lines(log: Path) -> str:
    """Return a sentence that quotes the end of a log file."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    said = "".join(f"\n    {line}" for line in lines) or " nothing"
    return f" Its log, {short(log)}, ends with:{said}"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2.0).status_code == 200
    except requests.RequestException:
        return False


def _ended(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
