"""Scoring: latency at one connection and throughput at sixteen, for 1 row and for 100 rows a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.answers import check
from benchmarks.bench import N_TREES, Bench, interleaved
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Comparison, Figure, Goal, Samples
from benchmarks.load import Load, drive
from benchmarks.peer import peer_as_used, peer_with_our_predictor
from benchmarks.places import BENCH
from benchmarks.quiet import calmest
from benchmarks.server import Server, Target
from benchmarks.service import Service

_ROUNDS = 3
_SECONDS, _QUICK_SECONDS = 4, 1
_WARM_UP_S = 2


@dataclass(frozen=True)
class _Cell:
    n_rows: int
    connections: int


_ONE_AT_A_TIME, _ONE_MANY = _Cell(1, 1), _Cell(1, 16)
_HUNDRED_AT_A_TIME, _HUNDRED_MANY = _Cell(100, 1), _Cell(100, 16)
_CELLS = (_ONE_AT_A_TIME, _HUNDRED_AT_A_TIME, _ONE_MANY, _HUNDRED_MANY)
_Measured = tuple[Load, float | None]
_Found = dict[tuple[str, _Cell], list[_Measured]]


def run(bench: Bench) -> list[Figure]:
    """
    Measure our service, the peer as used, and the peer with our predictor in it, one after the other in each round.

    Raises:
        BenchError: A server did not start, or answers differ from the pipeline's.
    """
    expected = bench.pipelines.expected(N_TREES)
    with Service(bench.kit.adult) as service:
        ours = service.target(bench.pipelines.requests(N_TREES, "service"))
        with Server(ours):
            service.admit_many_calls()
            model = service.download_model(BENCH / "models" / "scoring.ilearner")
        targets = (
            ours,
            peer_as_used(bench.kit, bench.pipelines, N_TREES),
            peer_with_our_predictor(bench.kit, bench.pipelines, N_TREES, model),
        )
        found: _Found = {(target.name, cell): [] for target in targets for cell in _CELLS}
        for number, target in interleaved(bench.n_rounds(_ROUNDS), targets):
            with Server(target):
                check(target, expected)
                for cell, measured in _measure(bench, target).items():
                    found[target.name, cell].append(measured)
            bench.say(f"round {number + 1}, {target.name}: {_summary(found, target)}")
    return _figures(found, *(target.name for target in targets))


def _measure(bench: Bench, target: Target) -> dict[_Cell, _Measured]:
    wrk = bench.kit.wrk
    for n_rows in target.bodies:
        drive(wrk, target, n_rows=n_rows, connections=16, seconds=_WARM_UP_S)
    seconds = _QUICK_SECONDS if bench.quick else _SECONDS
    return {
        cell: calmest(partial(_drive, wrk, target, cell, seconds), bench.tries, bench.patience_s) for cell in _CELLS
    }


def _drive(wrk: str, target: Target, cell: _Cell, seconds: int) -> Load:
    return drive(wrk, target, n_rows=cell.n_rows, connections=cell.connections, seconds=seconds)


def _figures(found: _Found, ours: str, peer: str, bare: str) -> list[Figure]:
    failed = [load for name in (peer, bare) for cell in _CELLS for load, _ in found[name, cell] if load.failed]
    if failed:
        raise BenchError(f"the peer failed {sum(load.failed for load in failed)} requests: nothing to compare with")

    def compare(measure: str, cell: _Cell, quantity: str, against: str, goal: Goal | None) -> Comparison:
        return Comparison(
            measure=measure,
            unit="ms" if quantity.endswith("_ms") else "requests/s",
            better=Better.LESS if quantity.endswith("_ms") else Better.MORE,
            ours=_samples(found[ours, cell], quantity),
            peer=_samples(found[against, cell], quantity),
            against="azmlinfsrv as used" if against == peer else "our predictor in azmlinfsrv",
            goal=goal,
            failures=sum(load.failed for load, _ in found[ours, cell]),
        )

    return [
        compare("1 row, p50, 1 connection", _ONE_AT_A_TIME, "p50_ms", peer, Goal(30, 50)),
        compare("1 row, p99, 1 connection", _ONE_AT_A_TIME, "p99_ms", peer, None),
        compare("1 row, p99, 16 connections", _ONE_MANY, "p99_ms", peer, None),
        compare("1 row, throughput, 16 connections", _ONE_MANY, "per_second", peer, Goal(75, 150)),
        compare("1 row, throughput, 16 connections", _ONE_MANY, "per_second", bare, Goal(7, 15)),
        compare("100 rows, p50, 1 connection", _HUNDRED_AT_A_TIME, "p50_ms", peer, None),
        compare("100 rows, throughput, 16 connections", _HUNDRED_MANY, "per_second", peer, Goal(8, 25)),
    ]


def _samples(measured: Sequence[_Measured], quantity: str) -> Samples:
    return Samples([getattr(load, quantity) for load, _ in measured], [foreign for _, foreign in measured])


def _summary(found: _Found, target: Target) -> str:
    one, many, hundred = (found[target.name, cell][-1][0] for cell in (_ONE_AT_A_TIME, _ONE_MANY, _HUNDRED_MANY))
    return f"p50 {one.p50_ms:.3f} ms, {many.per_second:,.0f} and {hundred.per_second:,.0f} requests/s"
