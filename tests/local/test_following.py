from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from local.api import FunctionApi
from local.errors import LocalError
from local.following import NotSettled, follow
from local.timeline import Timeline
from shared.secret import Secret

DROPPED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = "census/larger.csv"
Serve = Callable[[list[Any], list[Any]], FunctionApi]


def at(seconds: float) -> str:
    return (DROPPED + timedelta(seconds=seconds)).isoformat()


def dataset(state: str, **fields: Any) -> dict[str, Any]:
    settled = None if state == "SEEN" else at(1.5)
    empty = {"reason": "", "problems": [], "duplicate_of": "", "run_id": ""}
    return {"name": NAME, "state": state, "seen_at": at(1), "settled_at": settled, **empty, **fields}


def run(*states: str, reason: str = "", is_final: bool = False) -> dict[str, Any]:
    stages = [{"state": state, "at": at(2 + n)} for n, state in enumerate(states)]
    body = {"id": "r1", "state": states[-1], "is_final": is_final, "reason": reason, "verdict": None}
    return body | {"datasets": [NAME], "stages": stages}


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves one answer after the other for datasets and for the run; the last of each stays."""
    servers: list[HTTPServer] = []

    def start(datasets: list[Any], runs: list[Any]) -> FunctionApi:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers = datasets if self.path == "/api/datasets" else runs
                body = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(503 if body is None or self.headers["x-functions-key"] != "k" else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return FunctionApi(f"http://127.0.0.1:{servers[-1].server_port}", Secret("k"))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def ledger(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"datasets": list(entries)}


def watch(api: FunctionApi, within_s: float = 20.0, check: Callable[[], None] = lambda: None) -> tuple[Any, list[str]]:
    screen = io.StringIO()
    with api:
        settled = follow(api, NAME, DROPPED, Timeline(screen), check, within_s)
    return settled, [line.split("  ", 2)[-1].strip() for line in screen.getvalue().splitlines()]


def test_each_stage_of_a_run_is_printed_once_with_its_seconds(serve: Serve) -> None:
    datasets = [ledger(), ledger(dataset("SEEN")), ledger(dataset("ACCEPTED", reason="fits", run_id="r1"))]
    runs = [run("RECEIVED"), run("RECEIVED", "TRAINING"), run("RECEIVED", "TRAINING", "PROMOTED", is_final=True)]

    settled, lines = watch(serve(datasets, runs))

    assert (settled.outcome, settled.seconds) == ("PROMOTED", 4.0)
    assert [line.split() for line in lines] == [
        ["1.0", "s", "SEEN"],
        ["1.5", "s", "ACCEPTED", "fits"],
        ["2.0", "s", "RECEIVED"],
        ["3.0", "s", "TRAINING"],
        ["4.0", "s", "PROMOTED"],
    ]


def test_a_file_that_the_ledger_settles_needs_no_run(serve: Serve) -> None:
    duplicate = dataset("DUPLICATE", reason="the same bytes arrived before", duplicate_of="census/first.csv")

    settled, _ = watch(serve([ledger(duplicate)], []))

    assert settled.run is None
    assert (settled.outcome, settled.seconds) == ("DUPLICATE", 1.5)
    assert settled.reason == "the same bytes arrived before"


def test_an_earlier_version_of_the_file_is_not_taken_for_this_one(serve: Serve) -> None:
    earlier = dataset("QUARANTINED") | {"seen_at": at(-5), "settled_at": at(-4)}

    settled, _ = watch(serve([ledger(earlier), ledger(earlier, dataset("DUPLICATE"))], []))

    assert settled.outcome == "DUPLICATE"


def test_a_function_app_that_does_not_answer_is_asked_again(serve: Serve) -> None:
    settled, _ = watch(serve([None, None, ledger(dataset("DUPLICATE"))], []))

    assert settled.outcome == "DUPLICATE"


@pytest.mark.parametrize(
    ("entries", "last"),
    [
        ([], "the function app has not entered it in its ledger"),
        ([dataset("SEEN")], "it was last seen SEEN"),
    ],
)
def test_a_file_that_never_settles_is_reported_with_where_it_stands(
    serve: Serve, entries: list[dict[str, Any]], last: str
) -> None:
    with pytest.raises(NotSettled, match=f"reached no final state within 1 s: {last}"):
        watch(serve([ledger(*entries)], []), within_s=0.6)


def test_a_part_that_dies_ends_the_waiting(serve: Serve) -> None:
    def dead() -> None:
        raise LocalError("the studio service has ended by itself")

    with pytest.raises(LocalError, match="the studio service has ended"):
        watch(serve([ledger()], []), check=dead)
