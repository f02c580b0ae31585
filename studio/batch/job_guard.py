"""Watches the process of a job from within: its memory, and whether anybody still waits for its outcome."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

_LOOK_EVERY_S = 0.05
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
_WORKER_IS_GONE = 3
_LAST = 19  # the system's lowest priority


def peak_memory() -> int:
    """Return the most resident memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def watch_memory(limit_bytes: int, on_excess: Callable[[int], None]) -> None:
    """Call `on_excess` with the bytes added since now, once they are more than `limit_bytes`; looks every 50 ms."""
    before = peak_memory()

    def look() -> None:
        while (added := peak_memory() - before) <= limit_bytes:
            time.sleep(_LOOK_EVERY_S)
        on_excess(added)

    threading.Thread(target=look, daemon=True).start()


def end_with_the_worker(pipe: Connection) -> None:
    """End this process when the worker's end of the pipe closes: nobody would hear the outcome."""

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            pipe.recv_bytes()
        os._exit(_WORKER_IS_GONE)

    threading.Thread(target=listen, daemon=True).start()


def die_first() -> None:
    """Ask a kernel short of memory to end this process before the worker or a scoring process."""
    with contextlib.suppress(OSError):  # not on this system
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def give_way() -> None:
    """Have the processor whenever nobody else on this machine wants it: a scoring process next to it goes first."""
    os.nice(_LAST)
