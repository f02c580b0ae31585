"""
One fit at a time for every two cores of a machine, whatever the number of workers on it.

A fit uses two threads; two such fits on two cores are up to ten times slower than one after the other.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

THREADS_PER_FIT = 2

_LOOK_S = 0.05
_SAY_AGAIN_S = 30.0


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def n_slots_on(cores: int) -> int:
    """How many fits may go on at the same time on so many cores."""
    return max(1, cores // THREADS_PER_FIT)


class TrainingSlots:
    """
    Places to train, counted over all processes of one user: file locks, which end with the process that holds them.

    Who found all places taken is the next to get one: the others ask in vain until then, so that a worker with a long
    queue does not take its own place again and again before somebody who waits.

    Args:
        directory: Holds the lock files; None for the user's own under the system's temporary directory.
    """

    def __init__(self, n_slots: int | None = None, directory: Path | None = None) -> None:
        self._n_slots = n_slots or n_slots_on(n_cores())
        self._directory = directory or Path(tempfile.gettempdir(), f"studio-slots-{os.getuid()}")
        self._held: IO[bytes] | None = None
        self._turn: IO[bytes] | None = None

    def take(self) -> bool:
        """Take a place, or keep the one that is held; False when all are taken or somebody else is next."""
        if self._held is not None:
            return True
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._turn = self._turn or self._locked("next")
        if self._turn is None:
            return False
        places = (self._locked(f"slot-{number}") for number in range(self._n_slots))
        self._held = next(filter(None, places), None)
        if self._held is None:
            return False
        self._turn.close()
        self._turn = None
        return True

    def free(self) -> None:
        """Give back the place, or the turn to get one; without either, nothing happens."""
        for file in filter(None, (self._held, self._turn)):
            file.close()
        self._held = self._turn = None

    @contextmanager
    def taken(self, say: Callable[[str], object]) -> Iterator[None]:
        """Wait for a place, saying so at first and every half minute, and hold it meanwhile."""
        try:
            self._wait(say)
            yield
        finally:
            self.free()

    def _wait(self, say: Callable[[str], object]) -> None:
        began, due = time.monotonic(), 0.0
        while not self.take():
            waited = time.monotonic() - began
            if waited >= due:
                say(f"waiting for one of {self._n_slots} training slots… {waited:.0f} s")
                due += _SAY_AGAIN_S
            time.sleep(_LOOK_S)

    def _locked(self, name: str) -> IO[bytes] | None:
        file = (self._directory / name).open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
