"""Scoring while a training job runs on the same machine, beside scoring alone: the same server, the same load."""

from __future__ import annotations

from functools import partial

from benchmarks.bench import N_TREES, Bench, interleaved
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Comparison, Figure, Samples
from benchmarks.load import Load, drive
from benchmarks.quiet import calmest
from benchmarks.server import Server, Target
from benchmarks.service import Service

_ROUNDS = 3
_SECONDS, _QUICK_SECONDS = 4, 1
_TIMES, _QUICK_TIMES = 10, 2
_TREES = "20000"  # longer than any measurement: the job is cancelled, not awaited
_RUNNING_S = 60.0
_CONNECTIONS = (1, 16)
_ALONE, _BESIDE = "alone", "beside a training job"

_Found = dict[tuple[str, int], list[tuple[Load, float | None]]]


def run(bench: Bench) -> list[Figure]:
    """
    Score one row at a time, and with sixteen connections, with and without a two-thread fit under way.

    Raises:
        BenchError: The job was not running before and after a measurement, or requests failed.
    """
    with Service(bench.kit.adult) as service:
        target = service.target(bench.pipelines.requests(N_TREES, "service"), n_workers=1)
        path = bench.kit.scaled(_QUICK_TIMES if bench.quick else _TIMES)
        data = service.upload(path, path.name)
        found: _Found = {(case, n): [] for case in (_ALONE, _BESIDE) for n in _CONNECTIONS}
        with Server(target):
            service.admit_many_calls()
            for number, case in interleaved(bench.n_rounds(_ROUNDS), (_ALONE, _BESIDE)):
                job = service.submit(data, "beside", {"Trees": _TREES}) if case == _BESIDE else None
                if job:
                    service.wait_until_running(job, within_s=_RUNNING_S)
                for n_connections in _CONNECTIONS:
                    found[case, n_connections].append(_measure(bench, target, n_connections))
                if job:
                    service.cancel(job)
                one, many = (found[case, n][-1][0] for n in _CONNECTIONS)
                bench.say(f"round {number + 1}, {case}: p50 {one.p50_ms:.3f} ms, {many.per_second:,.0f} requests/s")
    return _figures(found)


def _measure(bench: Bench, target: Target, n_connections: int) -> tuple[Load, float | None]:
    seconds = _QUICK_SECONDS if bench.quick else _SECONDS
    load = partial(drive, bench.kit.wrk, target, n_rows=1, connections=n_connections, seconds=seconds)
    measured = calmest(load, bench.tries, bench.patience_s)
    if measured[0].failed:
        raise BenchError(f"{measured[0].failed} requests failed")
    return measured


def _figures(found: _Found) -> list[Figure]:
    def compare(measure: str, n_connections: int, quantity: str) -> Comparison:
        beside, alone = (
            Samples(
                [getattr(load, quantity) for load, _ in found[case, n_connections]],
                [foreign for _, foreign in found[case, n_connections]],
            )
            for case in (_BESIDE, _ALONE)
        )
        is_time = quantity.endswith("_ms")
        unit, better = ("ms", Better.LESS) if is_time else ("requests/s", Better.MORE)
        name = f"scoring beside a training job, 1 row, {measure}"
        return Comparison(name, unit, better, beside, alone, against="the same server with no job")

    return [
        compare("p50, 1 connection", 1, "p50_ms"),
        compare("p99, 1 connection", 1, "p99_ms"),
        compare("throughput, 16 connections", 16, "per_second"),
    ]
