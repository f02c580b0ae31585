"""Starts the parts of a soak, drops the files, makes trouble, and waits until everything has come to its end."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import requests
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.azurite import Azurite
from local.azurite.process import Ports, connection_string
from shared.adapters.storage_layout import create_storage
from shared.secret import Secret
from tests.soak import balance, proxy, service
from tests.soak.balance import Balance
from tests.soak.worker import ARRIVALS, EVALUATIONS, POISON, Shared, work
from tests.soak.world import HOLDOUT, File, files, holdout, write_models_file

_processes = multiprocessing.get_context("forkserver")
_WORKERS = 4
_OPEN_RUNS = 40  # at most: a steady stream, not a heap
_FEW = 8  # under way when the trouble ends
_AT_ONCE = 12
_SAY_EVERY_S = 5.0
_DROPPING = 0.85  # of the time; the rest is for coming to an end without trouble
_A_DAY_S = 25 * 3600.0
_HASTE = 5  # times as fast as ours do the workers' clocks run: pauses and the leases of killed workers pass quickly
_LOST_EVENTS = 0.05
_KILL_EVERY_S, _JUMP_EVERY_S = 10.0, 15.0
_JUMPS_S = (-90, -20, 30, 120, 400, 700, 25 * 3600)  # longer than a lease; a day, after which everything is swept
_CALM_HASTE = 30  # once nothing goes wrong any more: what is lost by then is missed after a quarter of an hour


@dataclass(frozen=True)
class Plan:
    """How much of everything; `share` is of requests that meet a fault, `seconds` the most that the soak may take."""

    files: int = 1000
    models: int = 20
    share: float = 0.01
    seconds: float = 1200
    seed: int = 1


@dataclass
class Outcome:
    """Faults by kind, how long it took, the balance, and how often the evaluations of runs were announced."""

    balance: Balance
    injected: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    seconds: float = 0.0
    announced: int = 0


def soak(plan: Plan, say: Callable[[str], None]) -> Outcome:
    """Run one soak to its end, or until its time is over."""
    _processes.set_forkserver_preload(["tests.soak.worker"])
    began = time.monotonic()
    with Azurite() as azurite, tempfile.TemporaryDirectory() as folder, _part(service.run) as (_, port):
        direct = azurite.connection_string
        ports = {"blob": azurite.ports.blob, "queue": azurite.ports.queue, "table": azurite.ports.table}
        with _part(proxy.run, ports | {"service": port}, plan.share, plan.seed) as (proxy_end, through):
            environment = _prepare(plan, Path(folder), direct, port, through)
            crew = _Crew(environment, direct, plan.seed)
            try:
                _Drops(plan, direct, crew, say).run(began + _DROPPING * plan.seconds)
                proxy_end.send("no more faults")
                counts = proxy_end.recv()
                crew.make_no_trouble()
                _await_the_end(direct, crew, began + plan.seconds, say)
            finally:
                crew.stop()
            stats = requests.get(f"http://127.0.0.1:{port}/stats", timeout=30).json()
            balanced = balance.take(direct, stats)
    injected = Counter(counts["injected"]) + crew.troubles()
    return Outcome(balanced, injected, counts["requests"], time.monotonic() - began, crew.announced)


@contextmanager
def _part(target: Callable[..., None], *arguments: Any) -> Iterator[tuple[Connection, Any]]:
    """Start a process that reports once it is ready, and stop it at the end."""
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    try:
        yield ours, ours.recv()
    finally:
        ours.send("stop")
        process.join(5)
        process.kill()


def _prepare(plan: Plan, folder: Path, direct: str, port: int, through: dict[str, int]) -> dict[str, str]:
    """Make storage, models and settings; everything in the settings leads through the proxy."""
    write_models_file(folder / "models.toml", plan.models)
    create_storage(Secret(direct))
    with BlobServiceClient.from_connection_string(direct) as blobs:
        blobs.get_blob_client("holdouts", HOLDOUT).upload_blob(holdout())
    with QueueServiceClient.from_connection_string(direct) as queues:
        for name in (ARRIVALS, EVALUATIONS, POISON):
            queues.create_queue(name)
    service_url = f"http://127.0.0.1:{through['service']}"
    requests.put(f"http://127.0.0.1:{port}/url", json=service_url, timeout=10)
    return {
        "DATA_STORAGE": connection_string(Ports(through["blob"], through["queue"], through["table"])),
        "MODELS_FILE": str(folder / "models.toml"),
        "POLL_SCHEDULE": "* * * * * *",
        "RETRAIN_SCHEDULE": "* * * * * *",
        "SERVICE": service_url,
        "JOBS_KEY": "jobs-key",
        "LIVE_KEY": "live-key",
        "STAGING_KEY": "staging-key",
    }


class _Crew:
    """The worker processes, and what is done to them."""

    def __init__(self, environment: dict[str, str], queues: str, seed: int) -> None:
        self._environment, self._queues, self._draw = environment, queues, random.Random(seed)
        counters = [_processes.Value("i", 0) for _ in range(4)]
        self._shared = Shared(_processes.Value("d", 0.0), _processes.Event(), *counters)
        self._counts: Counter[str] = Counter()
        self._workers: list[BaseProcess] = [self._start(number) for number in range(_WORKERS)]
        self._next_kill = self._next_jump = time.monotonic() + 5.0
        self._is_calm = False

    def _start(self, number: int) -> BaseProcess:
        worker = _processes.Process(
            target=work, args=(number, self._environment, self._queues, self._shared), daemon=True
        )
        worker.start()
        return worker

    def trouble(self) -> None:
        """Kill a worker and move the clocks, when it is time for that; replace workers that are gone."""
        now = time.monotonic()
        if now >= self._next_kill and not self._is_calm:
            self._next_kill = now + self._draw.uniform(0.5, 1.5) * _KILL_EVERY_S
            pid = self._draw.choice(self._workers).pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            self._counts["killed worker"] += 1
        if now >= self._next_jump and not self._is_calm:
            self._next_jump = now + self._draw.uniform(0.5, 1.5) * _JUMP_EVERY_S
            self._shared.ahead_s.value += self._draw.choice(_JUMPS_S)
            self._counts["clock jump"] += 1
        for number, worker in enumerate(self._workers):
            if not worker.is_alive():
                self._workers[number] = self._start(number)

    def lost_event(self) -> None:
        """Count an event that was never sent."""
        self._counts["lost event"] += 1

    def make_no_trouble(self) -> None:
        """From here on nothing happens to them, and pauses pass quickly."""
        self._is_calm = True

    def pass_time(self, seconds: float) -> None:
        """Move the clocks on."""
        self._shared.ahead_s.value += seconds

    def troubles(self) -> Counter[str]:
        """Count what was done to workers, events and messages."""
        shared = self._shared
        deliveries = {
            "doubled delivery": shared.doubled.value,
            "lost message": shared.lost.value,
            "reordered message": shared.reordered.value,
        }
        return self._counts + Counter(deliveries)

    @property
    def announced(self) -> int:
        """How many evaluations were announced."""
        return int(self._shared.announced.value)

    def stop(self) -> None:
        """End the workers."""
        self._shared.is_over.set()
        for worker in self._workers:
            worker.join(10)
            worker.kill()


class _Drops:
    """Drops the files as a steady stream."""

    def __init__(self, plan: Plan, direct: str, crew: _Crew, say: Callable[[str], None]) -> None:
        self._plan, self._direct, self._crew, self._say = plan, direct, crew, say
        self._draw = random.Random(plan.seed)

    def run(self, until: float) -> None:
        """Drop every file, at most so many being under way, and go on until few are."""
        waiting, dropped = list(files(self._plan.files, self._plan.models, self._plan.seed)), 0
        with (
            BlobServiceClient.from_connection_string(self._direct) as blobs,
            QueueServiceClient.from_connection_string(self._direct) as queues,
        ):
            arrivals, began, said_at = queues.get_queue_client(ARRIVALS), time.monotonic(), 0.0
            under_way = 0
            while (waiting or under_way > _FEW) and time.monotonic() < until:
                under_way = balance.open_runs(self._direct) + _depth(arrivals)
                room = _OPEN_RUNS - under_way
                for file in [waiting.pop(0) for _ in range(min(max(room, 0), _AT_ONCE, len(waiting)))]:
                    self._drop(file, blobs, queues)
                    dropped += 1
                for _ in range(4):
                    self._crew.trouble()
                    self._crew.pass_time(_HASTE * 0.25)
                    time.sleep(0.25)
                if time.monotonic() - said_at > _SAY_EVERY_S:
                    said_at = time.monotonic()
                    self._say(_progress(dropped, under_way, self._plan.files, said_at - began))

    def _drop(self, file: File, blobs: BlobServiceClient, queues: QueueServiceClient) -> None:
        blobs.get_blob_client("training-data", file.name).upload_blob(file.data)
        if self._draw.random() < _LOST_EVENTS:
            self._crew.lost_event()
        else:
            queues.get_queue_client(ARRIVALS).send_message(file.name)


def _depth(queue: QueueClient) -> int:
    return int(queue.get_queue_properties().approximate_message_count or 0)


def _progress(dropped: int, under_way: int, n_files: int, seconds: float) -> str:
    ended = max(dropped - under_way, 0)
    left = f"{(n_files - ended) * seconds / ended:.0f} s left" if ended else "no file has ended yet"
    return f"{seconds:.0f} s: {dropped} of {n_files} files dropped, {under_way} under way; {left}"


def _await_the_end(direct: str, crew: _Crew, until: float, say: Callable[[str], None]) -> None:
    """Wait until every file has its final state; pauses and leases pass quickly, and so does a day."""
    crew.pass_time(_A_DAY_S)  # the whole container is swept once a day, whatever clocks said in between
    while time.monotonic() < until and (left := balance.open_work(direct)):
        say(f"{left} files under way")
        crew.trouble()
        crew.pass_time(_CALM_HASTE)
        time.sleep(1)
