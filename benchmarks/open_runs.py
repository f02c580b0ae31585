"""
What one tick costs with many open runs: python -m benchmarks.open_runs [--runs N …]

Azurite, a service that answers after 50 ms, and the app's own tick; all runs are training, so each is asked about once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from azure.core.pipeline.transport import RequestsTransport
from azure.data.tables import TableServiceClient

from local.azurite import Azurite
from shared.adapters.runs_table import _to_row
from shared.adapters.storage_layout import create_storage
from shared.composition import App, compose
from shared.domain.lifecycle.runs import Run, RunState
from shared.retraining.training.naming import new_run
from shared.secret import Secret

_LATENCY_S = 0.05
_MODELS = 100
_PERIOD_S = 30
_TRANSACTION = 100
_ANSWER = json.dumps({"StatusCode": "Running", "Results": None, "Details": None}).encode()


def main() -> int:
    """Measure each number of runs, and print a table; 1 when a tick outlasted its period."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.open_runs", description="The cost of one tick.")
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1_000, 10_000], help="default: %(default)s")
    asked = parser.parse_args()
    print("| open runs | one tick | processor time | a run | storage calls | memory added |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    slowest = 0.0
    for n_runs in asked.runs:
        with _world() as (app, connection):
            _fill(connection, n_runs)
            tick = _measure(app)
        slowest = max(slowest, tick.seconds)
        each = f"{tick.processor_s / n_runs * 1000:.2f} ms"
        cells = (f"{n_runs:,}", f"{tick.seconds:.1f} s", f"{tick.processor_s:.1f} s", each, f"{tick.calls:,}")
        print(f"| {' | '.join(cells)} | {tick.grown_mb:.0f} MB |", flush=True)
    print(f"\nPeriod of a tick: {_PERIOD_S} s. The service answers after {_LATENCY_S * 1000:.0f} ms.")
    return 0 if slowest <= _PERIOD_S else 1


@dataclass(frozen=True)
class Tick:
    """What one tick took: by the clock, of this process's processor, storage calls, and memory."""

    seconds: float
    processor_s: float
    calls: int
    grown_mb: float


@contextmanager
def _world() -> Iterator[tuple[App, str]]:
    """Start storage and the service; compose the app over both."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    service = processes.Process(target=_serve, args=(theirs,), daemon=True)
    service.start()
    try:
        with Azurite() as azurite, TemporaryDirectory() as folder:
            create_storage(Secret(azurite.connection_string))
            models = Path(folder) / "models.toml"
            models.write_text(
                "".join(_declared(number, ours_port) for ours_port in [ours.recv()] for number in range(_MODELS))
            )
            settings = {"DATA_STORAGE": azurite.connection_string, "MODELS_FILE": str(models), "KEY": "key"}
            schedules = {"POLL_SCHEDULE": "* * * * * *", "RETRAIN_SCHEDULE": "* * * * * *"}
            yield compose(settings | schedules), azurite.connection_string
    finally:
        service.kill()


def _declared(number: int, port: int) -> str:
    url = f"http://127.0.0.1:{port}"
    endpoints = f"{url}/webservices/m{number}/endpoints"
    return f"""
[models.m{number}]
gate = "none"
[models.m{number}.training]
jobs_url = "{url}/services/m{number}/jobs"
key = "%KEY%"
outputs = {{ output1 = ".ilearner", output2 = ".csv" }}
[models.m{number}.scoring]
resource = "Model"
live = {{ url = "{endpoints}/live", key = "%KEY%" }}
staging = {{ url = "{endpoints}/staging", key = "%KEY%" }}
[models.m{number}.contract]
label = "y"
positive = "1"
[models.m{number}.contract.columns]
y = {{ kind = "category", values = ["0", "1"] }}
"""


def _fill(connection: str, n_runs: int) -> None:
    """Insert runs that are training, a hundred of a model at a time."""
    with TableServiceClient.from_connection_string(connection) as tables:
        table = tables.get_table_client("runs")
        for model in range(_MODELS):
            rows = [_to_row(_training(f"m{model}", number)) for number in range(model, n_runs, _MODELS)]
            for at in range(0, len(rows), _TRANSACTION):
                table.submit_transaction([("create", row) for row in rows[at : at + _TRANSACTION]])


def _training(model: str, number: int) -> Run:
    now = datetime.now(UTC) - timedelta(minutes=10)
    run = new_run(f"{model}-{number:06d}", model, [], f"training-data/{model}/{number}.csv", "0x1", now)
    submitted = run.advanced(RunState.SUBMITTED, now, job_id=f"job-{number}", submitted_at=now)
    return replace(
        submitted.advanced(RunState.TRAINING, now), datasets=(f"{model}/{number}.csv",), dataset_keys=("0" * 32,)
    )


def _measure(app: App) -> Tick:
    """Take one tick."""
    calls: Counter[str] = Counter()
    lock, send = threading.Lock(), RequestsTransport.send

    def counted(self: RequestsTransport, request: Any, **options: Any) -> Any:
        with lock:
            calls[request.method] += 1
        return send(self, request, **options)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with patch.object(RequestsTransport, "send", counted):
        began, processor = time.monotonic(), time.process_time()
        app.polling.tick()
        seconds, processor_s = time.monotonic() - began, time.process_time() - processor
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return Tick(seconds, processor_s, sum(calls.values()), grown / 1024)


def _serve(parent: Connection) -> None:
    asyncio.run(_answer_for_ever(parent))


async def _answer_for_ever(parent: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(_ANSWER)}\r\n\r\n".encode()
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(_LATENCY_S)
                writer.write(head + _ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    parent.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
