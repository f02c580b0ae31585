"""The model replaced while clients score: by PATCH in our service; by SIGHUP in the peer, whose folder is a link."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.answers import is_same
from benchmarks.bench import N_OTHER_TREES, N_TREES, Bench, interleaved
from benchmarks.clients import Answer, Clients, longest_gap
from benchmarks.errors import BenchError
from benchmarks.figures import Better, Comparison, Figure, Goal, Observation, Samples
from benchmarks.peer import peer_as_used
from benchmarks.places import BENCH
from benchmarks.quiet import calmest
from benchmarks.server import Server, Target
from benchmarks.service import Service

_ROUNDS = 5
_CLIENTS = 4
_BEFORE_S, _AFTER_S = 2.0, 3.0
_LIMIT_S = 40.0
_LOOK_EVERY_S = 0.02
_TRAIN_S = 60.0


@dataclass(frozen=True)
class _Case:
    """A server, and how its model is replaced by the one with so many trees; it starts with `N_TREES`."""

    target: Target
    replace: Callable[[Server, int], None]


@dataclass(frozen=True)
class _Noticed:
    """What clients noticed of one swap; times in seconds."""

    n_requests: int
    failed: int
    gap_s: float
    first_new_s: float


_Measured = tuple[_Noticed, float | None]


def run(bench: Bench) -> list[Figure]:
    """
    Swap under load in both servers, in turn.

    Raises:
        BenchError: A server kept its old model.
    """
    with Service(bench.kit.adult) as service:
        cases = (_ours(bench, service), _peer(bench))
        found: dict[str, list[_Measured]] = {case.target.name: [] for case in cases}
        for number, case in interleaved(bench.n_rounds(_ROUNDS), cases):
            noticed, foreign = calmest(partial(_round, bench, case), bench.tries, bench.patience_s)
            found[case.target.name].append((noticed, foreign))
            bench.say(
                f"round {number + 1}, {case.target.name}: gap {noticed.gap_s * 1000:.1f} ms, {noticed.failed} failed"
            )
    return _figures(*found.values())


def _ours(bench: Bench, service: Service) -> _Case:
    """Train both models through batch execution; a PATCH then names one of them."""
    target = service.target(bench.pipelines.requests(N_TREES, "service"))
    data = service.upload(bench.kit.adult, "adult.csv")
    with Server(service.target(target.bodies, n_workers=1)):
        service.admit_many_calls()
        for n_trees in (N_TREES, N_OTHER_TREES):
            job = service.submit(data, f"trees-{n_trees}", {"Trees": str(n_trees)})
            service.wait_for(job, look_every_s=0.1, within_s=_TRAIN_S)
    return _Case(target, lambda _, n_trees: service.patch_model(service.place(f"trees-{n_trees}.ilearner")))


def _peer(bench: Bench) -> _Case:
    link = BENCH / "models" / "served"
    _point(link, bench.pipelines.folder(N_TREES))

    def reload(server: Server, n_trees: int) -> None:
        _point(link, bench.pipelines.folder(n_trees))
        server.signal(signal.SIGHUP)

    bench.pipelines.folder(N_OTHER_TREES)  # made before it is timed
    return _Case(peer_as_used(bench.kit, bench.pipelines, N_TREES, link), reload)


def _point(link: Path, folder: Path) -> None:
    fresh = link.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder)
    fresh.replace(link)


def _round(bench: Bench, case: _Case) -> _Noticed:
    expected = bench.pipelines.expected(N_OTHER_TREES)[0]
    with Server(case.target) as server:
        noticed = asyncio.run(_swap(server, partial(case.replace, server, N_OTHER_TREES), expected))
        case.replace(server, N_TREES)
    return noticed


async def _swap(server: Server, replace: Callable[[], None], expected: float) -> _Noticed:
    async with Clients(server.target, _CLIENTS) as clients:
        await asyncio.sleep(_BEFORE_S)
        began = time.perf_counter()
        await asyncio.to_thread(replace)
        first_new = await _first_new(clients.answers, began, expected)
        await asyncio.sleep(_AFTER_S)
    after = [answer for answer in clients.answers if answer.at >= began]
    failed = sum(answer.probability is None for answer in clients.answers)
    return _Noticed(len(after), failed, longest_gap(clients.answers, began), first_new - began)


async def _first_new(answers: Sequence[Answer], began: float, expected: float) -> float:
    seen = 0
    while time.perf_counter() < began + _LIMIT_S:
        fresh, seen = answers[seen:], len(answers)
        for answer in fresh:
            if answer.at >= began and answer.probability is not None and is_same(answer.probability, expected):
                return answer.at
        await asyncio.sleep(_LOOK_EVERY_S)
    raise BenchError(f"no answer of the new model within {_LIMIT_S:.0f} s of the swap")


def _figures(ours: Sequence[_Measured], peer: Sequence[_Measured]) -> list[Figure]:
    def samples(measured: Sequence[_Measured], quantity: str) -> Samples:
        values = [getattr(noticed, quantity) for noticed, _ in measured]
        return Samples(values, [foreign for _, foreign in measured])

    failed = sum(noticed.failed for noticed, _ in ours)
    n_requests = sum(noticed.n_requests for noticed, _ in ours)
    gap = Comparison(
        "model swap under load, longest gap without an answer",
        "s",
        Better.LESS,
        samples(ours, "gap_s"),
        samples(peer, "gap_s"),
        against="azmlinfsrv, SIGHUP",
        goal=Goal(40, 150),
        failures=failed,
        note=f"{failed} of {n_requests:,} requests failed; azmlinfsrv: {sum(n.failed for n, _ in peer)}",
    )
    new = Observation(
        "model swap, from the PATCH to the first answer of the new model", "s", samples(ours, "first_new_s")
    )
    return [gap, new]
