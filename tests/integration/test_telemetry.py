"""One trace from the file to the endpoint, and the metrics that tell how the loop does."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from census_rows import people
from retraining_world import World

from shared.adapters.http import ServiceCaller
from shared.composition import compose
from shared.errors import ServiceRejected
from shared.secret import Secret
from shared.telemetry.identifiers import root_span_id_of, trace_id_of, traceparent_of
from shared.telemetry.recorder import recorder_for


class Diary:
    """What was logged of spans and metrics."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def of(self, name: str) -> list[dict[str, Any]]:
        texts = [record.getMessage() for record in self._caplog.records if record.name == "relearn.telemetry"]
        return [json.loads(text.removeprefix(f"{name} ")) for text in texts if text.startswith(f"{name} ")]


@pytest.fixture
def diary(caplog: pytest.LogCaptureFixture) -> Diary:
    caplog.set_level(logging.INFO, "relearn.telemetry")
    return Diary(caplog)


@pytest.fixture
def watched(world: World) -> World:
    """The same world with TELEMETRY=log."""
    world.app = compose(world.environment | {"TELEMETRY": "log"})
    return world


def finish(world: World) -> dict[str, Any]:
    """Tick until the only run has ended."""
    for _ in range(10):
        world.tick()
        run = world.run()
        if run["is_final"]:
            return run
    raise AssertionError(f"not final: {run}")


def test_a_promotion_is_one_trace_from_file_to_endpoint(watched: World, diary: Diary) -> None:
    watched.drop("new.csv", people(600, seed=1))
    run = finish(watched)
    spans = diary.of("span.ended")
    root = f"{root_span_id_of(run['id']):016x}"

    assert run["state"] == "PROMOTED"
    assert {span["trace_id"] for span in spans} == {f"{trace_id_of(run['id']):032x}"}
    (whole,) = (span for span in spans if span["span_id"] == root)
    assert (whole["span"], whole.get("parent_id"), whole["outcome"], whole["ok"]) == ("run", None, "PROMOTED", True)
    assert {span["parent_id"] for span in spans if span is not whole} == {root}
    named = {span["span"] for span in spans}
    assert {"RECEIVED", "SUBMITTED", "TRAINING", "EVALUATING", "PROMOTING"} <= named
    (file,) = (span for span in spans if span["span"] == "file")
    received = next(span for span in spans if span["span"] == "RECEIVED")
    assert file["file"] == "census/new.csv"
    assert file["began_at"] < whole["began_at"] == received["began_at"]
    assert file["duration_ms"] > 0
    assert {"submit job", "start job", "update endpoint 'live'"} <= named


def test_every_call_of_a_run_says_which_run_it_is_for(world: World) -> None:
    world.drop("new.csv", people(600, seed=1))
    run = finish(world)

    assert run["state"] == "PROMOTED"
    assert len(world.service.called_for) == len(world.service.calls) > 5
    assert set(world.service.called_for) == {run["id"]}


def test_the_metrics_of_a_promotion(watched: World, diary: Diary) -> None:
    watched.drop("new.csv", people(600, seed=1))
    run = finish(watched)
    metrics = diary.of("metric.recorded")
    by_name: dict[str, list[dict[str, Any]]] = {}
    for metric in metrics:
        by_name.setdefault(metric["metric"], []).append(metric)

    assert [(m["model"], m["outcome"], m["count"]) for m in by_name["relearn.runs"]] == [("census", "PROMOTED", 1)]
    assert {"TRAINING", "EVALUATING"} <= {m["state"] for m in by_name["relearn.stage.duration"]}
    assert [m["state"] for m in by_name["relearn.file.age"]] == ["ACCEPTED"]
    assert by_name["relearn.poll.lag"][0]["count"] >= 1
    gain = next(m for m in by_name["relearn.gate.gain"] if m["bound"] == "gain")
    assert gain["sum"] == pytest.approx(run["verdict"]["gain"], abs=1e-3)


def test_all_that_a_tick_logs_is_logged_in_the_thread_of_its_invocation(
    watched: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The Functions host drops the rest; most of it comes of looking at runs, many at once."""
    caplog.set_level(logging.INFO)
    said: list[tuple[str, int]] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append((record.getMessage(), threading.get_ident()))  # type: ignore[method-assign]
    for name in ("shared", "relearn"):
        logging.getLogger(name).addHandler(listener)
    try:
        watched.drop("new.csv", people(600, seed=1))
        finish(watched)
    finally:
        for name in ("shared", "relearn"):
            logging.getLogger(name).removeHandler(listener)

    assert {"run.advanced", "span.ended", "metric.recorded"} <= {text.partition(" ")[0] for text, _ in said}
    assert {thread for _, thread in said} == {threading.get_ident()}
    assert [thread.name for thread in threading.enumerate() if "MetricReader" in thread.name] == []


def test_nothing_is_recorded_where_nobody_asked(world: World, diary: Diary) -> None:
    world.drop("new.csv", people(600, seed=1))
    finish(world)

    assert diary.of("span.ended") == []


class _Service(BaseHTTPRequestHandler):
    seen: list[str | None] = []  # noqa: RUF012 (one diary for all connections)

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("traceparent"))
        self.send_response(400 if "refuse" in self.path else 200)
        self.send_header("x-ms-request-id", "the-services-own-id")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    _Service.seen.clear()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("destination", ["off", "log"])
def test_the_trace_goes_to_the_service_whether_recorded_or_not(service: str, destination: str, diary: Diary) -> None:
    ServiceCaller(recorder_for(destination)).call("read job", "GET", service, Secret("key"), run_id="run-1")

    (header,) = _Service.seen
    assert header is not None
    assert header.split("-")[1] == traceparent_of("run-1").split("-")[1]
    spans = diary.of("span.ended")
    assert [span["span_id"] for span in spans] == ([header.split("-")[2]] if destination == "log" else [])


def test_a_refused_call_shows_what_the_service_said(service: str, diary: Diary) -> None:
    with pytest.raises(ServiceRejected):
        ServiceCaller(recorder_for("log")).call("read job", "GET", f"{service}/refuse", Secret("key"), run_id="run-1")

    (span,) = diary.of("span.ended")
    assert (span["ok"], span["http.response.status_code"]) == (False, 400)
    assert span["service.request_id"] == "the-services-own-id"
    assert "key" not in json.dumps(span)
