"""A process with all its descendants: processor time, memory. From /proc where there is one, else from `ps`."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
MEMORY_KIND = "PSS" if _PROC.joinpath("self/smaps_rollup").exists() else "RSS"


@dataclass(frozen=True)
class _Process:
    parent: int
    cpu_s: float
    resident_mb: float


def family(root: int) -> set[int]:
    """Return the ids of a process and of all its descendants."""
    return _family(root, _processes())


def cpu_seconds(root: int) -> float:
    """Return the processor time of a process and its descendants, with those that have ended and were waited for."""
    processes = _processes()
    return sum(processes[pid].cpu_s for pid in _family(root, processes))


def memory_mb(root: int) -> float:
    """Return the memory of a process and its descendants; pages that they share count once where PSS is known."""
    processes = _processes()
    return sum(_memory_mb(pid, processes[pid]) for pid in _family(root, processes))


def peak_mb(pid: int) -> float:
    """Return the most resident memory that one process has had so far; what it has now where that is not known."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
        return 0.0  # it has ended and waits to be taken notice of
    found = _processes().get(pid)
    return found.resident_mb if found else 0.0


def _family(root: int, processes: Mapping[int, _Process]) -> set[int]:
    found = {root} & processes.keys()
    while more := {pid for pid, process in processes.items() if process.parent in found} - found:
        found |= more
    return found


def _memory_mb(pid: int, process: _Process) -> float:
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1024
    return process.resident_mb


def _processes() -> dict[int, _Process]:
    if not _PROC.joinpath("self/stat").exists():
        return _from_ps()
    found = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry.name)] = _from_stat((entry / "stat").read_text())
    return found


def _from_stat(text: str) -> _Process:
    fields = text.rpartition(")")[2].split()
    # user, system, and both of the children that were waited for
    ticks = sum(map(int, fields[11:15]))
    resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return _Process(int(fields[1]), ticks / _TICKS_PER_S, resident)


def _from_ps() -> dict[int, _Process]:
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)  # noqa: S607
    rows = (map(int, line.split()) for line in listing.stdout.splitlines())
    return {pid: _Process(parent, 0.0, kilobytes / 1024) for pid, parent, kilobytes in rows}
