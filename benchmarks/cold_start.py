"""A scorer's start, from the command to the first answer with a score, and its memory once it has worked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from benchmarks.answers import check
from benchmarks.bench import N_TREES, Bench, interleaved
from benchmarks.figures import Better, Comparison, Figure, Goal, Samples
from benchmarks.load import drive
from benchmarks.peer import peer_as_used
from benchmarks.processes import MEMORY_KIND
from benchmarks.quiet import calmest
from benchmarks.server import Server, Target
from benchmarks.service import Service

_ROUNDS = 5
_WORK_S = 2


@dataclass(frozen=True)
class _Start:
    seconds: float
    memory_mb: float


def run(bench: Bench) -> list[Figure]:
    """Start our scorer and the peer in turn, each once more than counted: the first start writes bytecode."""
    expected = bench.pipelines.expected(N_TREES)
    with Service(bench.kit.adult) as service:
        ours = service.target(bench.pipelines.requests(N_TREES, "service"))
        with Server(ours):
            service.admit_many_calls()
        peer = peer_as_used(bench.kit, bench.pipelines, N_TREES)
        with Server(peer):
            check(peer, expected)
        found: dict[str, list[tuple[_Start, float | None]]] = {ours.name: [], peer.name: []}
        for number, target in interleaved(bench.n_rounds(_ROUNDS), (ours, peer)):
            start, foreign = calmest(partial(_start, bench, target, expected), bench.tries, bench.patience_s)
            found[target.name].append((start, foreign))
            bench.say(f"round {number + 1}, {target.name}: {start.seconds:.2f} s, {start.memory_mb:.0f} MB")

    def compare(measure: str, quantity: str, unit: str, goal: Goal) -> Comparison:
        own, others = (
            Samples([getattr(start, quantity) for start, _ in found[name]], [foreign for _, foreign in found[name]])
            for name in (ours.name, peer.name)
        )
        return Comparison(measure, unit, Better.LESS, own, others, against="azmlinfsrv as used", goal=goal)

    return [
        compare("cold start of a scorer", "seconds", "s", Goal(8, 12)),
        compare(f"memory of a scorer ({MEMORY_KIND})", "memory_mb", "MB", Goal(5, 8)),
    ]


def _start(bench: Bench, target: Target, expected: list[float]) -> _Start:
    with Server(target) as server:
        check(target, expected)
        drive(bench.kit.wrk, target, n_rows=1, connections=16, seconds=_WORK_S)
        return _Start(server.cold_start_s, server.memory_mb)
