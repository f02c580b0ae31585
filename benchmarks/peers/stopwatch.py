"""Seconds of each phase of a script, and the most memory that its process had."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path


class Stopwatch:
    """Starts when made; `phase` ends one phase and begins the next."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._phases: dict[str, float] = {}

    def phase(self, name: str) -> None:
        """End the phase that began with the last call."""
        now = time.perf_counter()
        self._phases[name], self._last = now - self._last, now

    def report(self, **facts: float) -> None:
        """Print one line of JSON: facts, phases in seconds, peak memory in MB."""
        print(json.dumps({"phases": self._phases, "peak_mb": _peak_kb() / 1024, **facts}))


def _peak_kb() -> float:
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss outlives exec and may tell the parent's peak
        return float(next(line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
