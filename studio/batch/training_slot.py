"""
One fit at a time for every two cores of a machine, whatever the number of workers on it.

A fit uses two threads; two such fits on two cores are up to ten times slower than one after the other.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

THREADS_PER_FIT = 2


def n_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class TrainingSlots:
    """
    Places to train, counted over all processes of one user: file locks, which end with the process that holds them.

    Args:
        directory: Holds the lock files; None for the user's own under the system's temporary directory.
    """

    def __init__(self, n_slots: int | None = None, directory: Path | None = None) -> None:
        self._n_slots = n_slots or max(1, n_cores() // THREADS_PER_FIT)
        self._directory = directory or Path(tempfile.gettempdir(), f"studio-slots-{os.getuid()}")
        self._held: IO[bytes] | None = None

    def take(self) -> bool:
        """Take a place, or keep the one that is held; False when all are taken."""
        if self._held is not None:
            return True
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._held = next(filter(None, map(self._locked, range(self._n_slots))), None)
        return self._held is not None

    def free(self) -> None:
        """Give the place back; without one, nothing happens."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _locked(self, number: int) -> IO[bytes] | None:
        file = (self._directory / f"slot-{number}").open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
