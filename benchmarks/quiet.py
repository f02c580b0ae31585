"""
How much processor time other programs took while we measured, and a wait for a calm moment.

A two-thread fit on two cores becomes several times slower when somebody else takes one of them, so a figure without
this beside it cannot be judged.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from benchmarks.processes import cpu_seconds

CALM = 0.15  # cores taken by others that do not spoil a figure

_STAT = Path("/proc/stat")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_GATE_S = 0.4
_BUSY_FIELDS = (0, 1, 2, 5, 6)  # user, nice, system, interrupts

_T = TypeVar("_T")


class Watch:
    """Context manager; afterwards `foreign` is how many cores others took on average, None where it is not known."""

    foreign: float | None = None

    def __enter__(self) -> Watch:
        self._began = _reading()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        ended = _reading()
        if ended and self._began:
            seconds, busy, own = (after - before for after, before in zip(ended, self._began, strict=True))
            self.foreign = max(0.0, (busy - own) / max(seconds, 0.01))


def wait_for_calm(within_s: float) -> bool:
    """Wait until others leave the processor alone; False when they did not within `within_s` seconds."""
    until = time.monotonic() + within_s
    while True:
        with Watch() as watch:
            time.sleep(_GATE_S)
        if watch.foreign is None or watch.foreign <= CALM:
            return True
        if time.monotonic() > until:
            return False


def calmest(measure: Callable[[], _T], tries: int, patience_s: float) -> tuple[_T, float | None]:
    """
    Measure in a calm moment, again when it was disturbed, and keep the least disturbed result.

    Where no calm moment comes, once is enough: another try would be as disturbed.

    Args:
        tries: At most so often.
        patience_s: The longest wait for calm before each try.

    Returns:
        The result, and how many cores others took meanwhile (None where it is not known).
    """
    found: list[tuple[float, _T]] = []
    for _ in range(tries):
        was_calm = wait_for_calm(patience_s)
        with Watch() as watch:
            result = measure()
        if watch.foreign is None:
            return result, None
        found.append((watch.foreign, result))
        if watch.foreign <= CALM or not was_calm:
            break
    foreign, result = min(found, key=lambda pair: pair[0])
    return result, foreign


def _reading() -> tuple[float, float, float] | None:
    """Seconds since some moment, and of processor time: of everybody, and of this process with its descendants."""
    if not _STAT.exists():
        return None
    ticks = [int(field) for field in _STAT.read_text().split("\n", 1)[0].split()[1:]]
    return time.perf_counter(), sum(ticks[i] for i in _BUSY_FIELDS) / _TICKS_PER_S, cpu_seconds(os.getpid())
