"""How many storage calls a run costs: they are what a run is billed for, and what a tick has to get through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_stack
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from azure.core.pipeline.transport import RequestsTransport
from census_rows import people
from retraining_world import World


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note calls by method, by table or container, and by who makes them."""
    calls: list[str] = []
    send = RequestsTransport.send

    def noting(self: RequestsTransport, request: Any, **options: Any) -> Any:
        place = urlsplit(request.url).path.split("/")[2].partition("(")[0]
        calls.append(f"{request.method} {place:<14}{_asked_by()}")
        return send(self, request, **options)

    with patch.object(RequestsTransport, "send", noting):
        yield calls


def _asked_by() -> str:
    """Name the use case that a call is made for, and the adapter that makes it."""
    frames = [frame for frame in extract_stack() if "/shared/" in frame.filename]
    adapter = next(frame for frame in frames if "/adapters/" in frame.filename)
    user = next((frame for frame in reversed(frames) if "/retraining/" in frame.filename), adapter)
    return f"{Path(user.filename).stem}.{user.name} > {Path(adapter.filename).stem}.{adapter.name}"


@pytest.mark.parametrize(
    ("before", "at_most"),
    [
        pytest.param([0.2], 26, id="the first promotion"),
        pytest.param([0.7, 0.8], 27, id="a later one, held against the last approved model too"),
    ],
)
def test_a_promoted_run_costs_a_bounded_number_of_storage_calls(
    world: World, capsys: pytest.CaptureFixture[str], before: list[float], at_most: int
) -> None:
    for number, quality in enumerate(before):  # the first keeps the published model's bytes, which happens once
        world.service.quality = quality
        world.drop(f"{number}.csv", people(600, seed=10 + number))
        world.tick()
        world.app.announcing.announce_due()
    world.service.quality = 1.0
    world.put("training-data/census/a.csv", people(600, seed=2))

    with counted() as arrival:
        world.app.arrival.receive(world.app.evaluation._stores.blobs.blob("training-data/census/a.csv"))
    with counted() as tick:
        (message,) = world.app.polling.tick()
    run_id = world.run()["id"]
    with counted() as evaluation:
        world.app.evaluation.evaluate("census", run_id)
    with counted() as report:
        world.app.announcing.announce_due()

    state = world.run()["state"]
    total = len(arrival + tick + evaluation)
    with capsys.disabled():
        parts = {"arrival": arrival, "tick": tick, "evaluation": evaluation, "the report, afterwards": report}
        lines = [f"{name}: {len(calls)}\n  " + "\n  ".join(calls) for name, calls in parts.items()]
        print(f"\n{state} in {total} storage calls", *lines, sep="\n")  # noqa: T201 - the figure is the point
    assert message
    assert state == "PROMOTED"
    assert total <= at_most
    assert world.run()["verdict"]["anchor"] is None or len(before) > 1
    assert len(report) <= at_most - 7


def test_a_look_at_a_running_job_costs_no_storage_call_beyond_the_tick(world: World) -> None:
    world.service.faults.job_status = "Running"
    for number in range(3):
        world.drop(f"{number}.csv", people(600, seed=number))

    with counted() as calls:
        world.app.polling.tick()

    assert len(calls) == 1, calls
    assert calls[0].startswith("GET runs")
