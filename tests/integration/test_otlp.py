"""TELEMETRY=otlp: a collector receives one trace from the file to the endpoint, and the metrics."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from census_rows import people
from otlp_collector import Collector, values
from retraining_world import World

from shared.composition import compose
from shared.telemetry.identifiers import root_span_id_of, trace_id_of


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        yield running


def test_a_collector_receives_a_run_as_one_trace_and_its_metrics(world: World, collector: Collector) -> None:
    world.app = compose(world.environment | {"TELEMETRY": "otlp"})
    world.drop("new.csv", people(600, seed=1))
    while not world.run()["is_final"]:
        world.tick()
    world.app.recorder.flush()
    run = world.run()
    spans = list(collector.spans())
    root = root_span_id_of(run["id"]).to_bytes(8, "big")

    assert run["state"] == "PROMOTED"
    assert {program for program, _ in spans} == {"relearn"}
    assert {span.trace_id for _, span in spans} == {trace_id_of(run["id"]).to_bytes(16, "big")}
    (whole,) = (span for _, span in spans if span.span_id == root)
    assert values(whole.attributes)["outcome"] == "PROMOTED"
    assert whole.parent_span_id == b""
    assert all(span.parent_span_id == root for _, span in spans if span is not whole)
    assert {"RECEIVED", "EVALUATING", "submit job", "update endpoint 'live'"} <= {span.name for _, span in spans}
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano for _, span in spans)
    assert {metric.name for metric in collector.metrics()} == {
        "relearn.runs", "relearn.stage.duration", "relearn.file.age", "relearn.poll.lag", "relearn.gate.gain"
    }  # fmt: skip


def test_the_collector_gets_no_key(world: World, collector: Collector) -> None:
    world.app = compose(world.environment | {"TELEMETRY": "otlp"})
    world.drop("new.csv", people(600, seed=1))
    world.tick()
    world.app.recorder.flush()
    told = "".join(str(span) for _, span in collector.spans())

    assert told
    assert not [name for name, value in world.environment.items() if name.endswith("_KEY") and value in told]
    assert "sig=" not in told
