"""How many storage calls a run costs: they are what a run is billed for, and what a tick has to get through."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from azure.core.pipeline.transport import RequestsTransport
from census_rows import people
from retraining_world import World


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Count calls by method and by table or container."""
    calls: Counter[str] = Counter()
    send = RequestsTransport.send

    def counting(self: RequestsTransport, request: Any, **options: Any) -> Any:
        place = urlsplit(request.url).path.split("/")[2].partition("(")[0]
        calls[f"{request.method} {place}"] += 1
        return send(self, request, **options)

    with patch.object(RequestsTransport, "send", counting):
        yield calls


def test_a_promoted_run_costs_a_bounded_number_of_storage_calls(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.service.quality = 0.2
    world.drop("first.csv", people(600, seed=1))  # keeps the published model's bytes, which happens once
    world.tick()
    world.service.quality = 1.0
    world.put("training-data/census/a.csv", people(600, seed=2))

    with counted() as arrival:
        world.app.arrival.receive(world.app.evaluation._stores.blobs.blob("training-data/census/a.csv"))
    with counted() as tick:
        (message,) = world.app.polling.tick()
    run_id = world.run()["id"]
    with counted() as evaluation:
        world.app.evaluation.evaluate("census", run_id)

    state = world.run()["state"]
    total = sum((arrival + tick + evaluation).values())
    with capsys.disabled():
        parts = {"arrival": arrival, "tick": tick, "evaluation": evaluation}
        lines = [f"{name}: {sum(calls.values())} ({dict(calls)})" for name, calls in parts.items()]
        print(f"\n{state} in {total} storage calls", *lines, sep="\n")  # noqa: T201 - the figure is the point
    assert message
    assert state == "PROMOTED"
    assert total <= 35


def test_a_look_at_a_running_job_costs_no_storage_call_beyond_the_tick(world: World) -> None:
    world.service.faults.job_status = "Running"
    for number in range(3):
        world.drop(f"{number}.csv", people(600, seed=number))

    with counted() as calls:
        world.app.polling.tick()

    assert dict(calls) == {"GET runs": 1}
