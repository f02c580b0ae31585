"""A training job through batch execution beside a scikit-learn script, and beside the library used bare."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.bench import N_TREES, Bench, interleaved
from benchmarks.figures import Better, Comparison, Figure, Goal, Samples
from benchmarks.places import BENCH
from benchmarks.processes import family, peak_mb
from benchmarks.quiet import calmest
from benchmarks.server import Server
from benchmarks.service import Service
from shared.wire import BlobReference

_PIPELINE, _LIBRARY, _JOB = "scikit-learn pipeline script", "the library alone", "ours"
_LIMIT_S = 900.0
_LOOKS_PER_MEMORY = 4  # looking for a process goes through all of the machine's
_LIBRARY_PHASES = ("read", "encode", "fit", "evaluate")
_QUICK_TIMES = 3


@dataclass(frozen=True)
class _Size:
    """
    One data set.

    Attributes:
        times: How often the original rows are in it.
        look_every_s: How often the job's status is asked for; asking takes time from the training, and so does looking
            at memory, which is done less often: what is read there is the most that there was.
        speed: Goal of the job's time against the script's whole process.
        memory: Goal of the training process's peak against the script's; None to leave it out.
        overhead: Goal of the job's time against the bare library; None to leave it out.
    """

    times: int
    rounds: int
    look_every_s: float
    speed: Goal | None = None
    memory: Goal | None = None
    overhead: Goal | None = None


# Goal(1 / 1.15, 1 / 1.05): at most 15 % slower than the library alone, and 5 % if we can.
_SMALL = _Size(1, 5, 0.03, speed=Goal(4, 8))
_LARGE = _Size(100, 2, 0.25, speed=Goal(2, 2.5), memory=Goal(2.5, 4), overhead=Goal(1 / 1.15, 1 / 1.05))
_QUICK = _Size(_QUICK_TIMES, 1, 0.05)


@dataclass(frozen=True)
class _Run:
    seconds: float
    peak_mb: float


_Found = dict[str, list[tuple[_Run, float | None]]]


def run(bench: Bench) -> list[Figure]:
    """Train on the original rows, and on a hundred times as many."""
    figures: list[Figure] = []
    with Service(bench.kit.adult) as service:
        target = service.target(bench.pipelines.requests(N_TREES, "service"), n_workers=1)
        with Server(target) as server:
            for size in (_SMALL, _QUICK) if bench.quick else (_SMALL, _LARGE):
                figures += _measure(bench, service, server, size)
    return figures


def _measure(bench: Bench, service: Service, server: Server, size: _Size) -> list[Figure]:
    path = bench.kit.scaled(size.times) if size.times > 1 else bench.kit.adult
    blob = service.upload(path, path.name)
    cases = {
        _JOB: partial(_job, service, server, blob, size.look_every_s),
        _PIPELINE: partial(_script, bench, path),
        _LIBRARY: partial(_library, bench, path),
    }
    cases[_JOB]()  # not counted: it waits for the worker's start
    n_rows = _count_rows(path)
    found: _Found = {name: [] for name in cases}
    for number, name in interleaved(bench.n_rounds(size.rounds), cases):
        one, foreign = calmest(cases[name], bench.tries, bench.patience_s)
        found[name].append((one, foreign))
        bench.say(f"{n_rows:,} rows, round {number + 1}, {name}: {one.seconds:.2f} s, peak {one.peak_mb:.0f} MB")
    return _figures(found, size, n_rows)


def _job(service: Service, server: Server, blob: BlobReference, look_every_s: float) -> _Run:
    with _watched_peak(server.pid, _LOOKS_PER_MEMORY * look_every_s) as peak:
        began = time.perf_counter()
        job = service.submit(blob, "trained")
        service.wait_for(job, look_every_s=look_every_s, within_s=_LIMIT_S)
        seconds = time.perf_counter() - began
    return _Run(seconds, peak.mb)


def _script(bench: Bench, path: Path) -> _Run:
    with tempfile.TemporaryDirectory(dir=BENCH) as folder:
        began = time.perf_counter()
        said = bench.kit.run("train_pipeline.py", path, Path(folder, "pipeline.joblib"), timeout_s=_LIMIT_S)
        seconds = time.perf_counter() - began
    return _Run(seconds, json.loads(said)["peak_mb"])


def _library(bench: Bench, path: Path) -> _Run:
    """Count read, encode, fit and evaluate; not the start of Python and not the imports."""
    said = json.loads(bench.kit.run("train_library.py", path, timeout_s=_LIMIT_S))
    return _Run(sum(said["phases"][name] for name in _LIBRARY_PHASES), said["peak_mb"])


class _Peak:
    mb = 0.0


@contextmanager
def _watched_peak(root: int, every_s: float) -> Iterator[_Peak]:
    """Note the most memory that a process which begins inside this block has had."""
    peak, ended, older = _Peak(), threading.Event(), family(root)

    def watch() -> None:
        while not ended.wait(every_s):
            peak.mb = max([peak.mb, *(peak_mb(pid) for pid in family(root) - older)])

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _figures(found: _Found, size: _Size, n_rows: int) -> list[Figure]:
    def compare(measure: str, quantity: str, unit: str, against: str, goal: Goal | None) -> Comparison:
        ours, peer = (
            Samples([getattr(one, quantity) for one, _ in found[name]], [foreign for _, foreign in found[name]])
            for name in (_JOB, against)
        )
        return Comparison(f"training job, {n_rows:,} rows, {measure}", unit, Better.LESS, ours, peer, against, goal)

    return [
        compare("submit to Finished", "seconds", "s", _PIPELINE, size.speed),
        compare("submit to Finished", "seconds", "s", _LIBRARY, size.overhead),
        compare("peak memory", "peak_mb", "MB", _PIPELINE, size.memory),
    ]


def _count_rows(path: Path) -> int:
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b"")) - 1
