"""Scoring calls answered on the spot: otherwise just like those that get a task, however many pieces they come in."""

from __future__ import annotations

import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from exchanges import ROW, TOKEN, VERSION, Published, bearer

from studio.web.key_guard import MAX_WRONG_KEYS
from studio.web.scoring import ScoringApp

CALLER = "x-ms-client-request-id"
UNREADABLE = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["old", "40", "clerk"]]}}}
UNKNOWN = {"Inputs": {"input1": {"ColumnNames": ["size"], "Values": [["1"]]}}}


def sent(
    published: Published, body: bytes, *, pieces: int, method: str = "POST", path: str = "", **headers: str
) -> tuple[str, dict[str, str], bytes]:
    """Send a call by hand; returns status line, headers and body of the answer."""
    address = urlsplit(published.endpoint("live")["api_location"])
    fields = {**published.headers("live"), "Host": address.netloc, CALLER: "mine-1", **headers}
    fields |= {"Content-Length": str(len(body)), "Connection": "close"}
    lines = [
        f"{method} {path or address.path + '/execute'}{VERSION} HTTP/1.1",
        *(f"{k}: {v}" for k, v in fields.items()),
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    received = b""
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=30) as connection:
        if pieces == 1:
            connection.sendall(head + body)
        else:
            connection.sendall(head)
            time.sleep(0.1)
            connection.sendall(body)
        while part := connection.recv(1 << 16):
            received += part
    answer_head, _, answer = received.partition(b"\r\n\r\n")
    status, *answer_lines = answer_head.decode().split("\r\n")
    return status, {name: value for name, _, value in (line.partition(": ") for line in answer_lines)}, answer


@pytest.mark.parametrize(
    ("body", "named", "status"),
    [
        (ROW, {}, 200),
        (UNREADABLE, {}, 400),
        (UNKNOWN, {}, 400),
        ("nothing", {}, 400),
        (ROW, bearer("wrong"), 401),
        (ROW, {"path": "/workspaces/a/services/b/execute"}, 404),
        (ROW, {"path": "/execute"}, 404),
        (ROW, {"method": "PUT"}, 405),
    ],
    ids=["scored", "cell", "column", "shape", "key", "endpoint", "address", "method"],
)
def test_the_way_makes_no_difference(
    published: Published, monkeypatch: pytest.MonkeyPatch, body: object, named: dict[str, Any], status: int
) -> None:
    data = json.dumps(body).encode()
    one = sent(published, data, pieces=1, **named)
    monkeypatch.setattr(ScoringApp, "is_prompt", lambda *_: False)
    two = sent(published, data, pieces=2, **named)

    changing = ("date", "x-ms-request-id")
    assert one[0].split()[1] == str(status)
    assert (one[0], one[2]) == (two[0], two[2])
    assert one[1].keys() == two[1].keys()
    assert {k: v for k, v in one[1].items() if k not in changing} == {
        k: v for k, v in two[1].items() if k not in changing
    }
    assert one[1][CALLER] == "mine-1"
    assert len(one[1]["x-ms-request-id"]) == 32


@pytest.mark.parametrize("pieces", [1, 2])
def test_a_call_waits_for_no_task(published: Published, monkeypatch: pytest.MonkeyPatch, pieces: int) -> None:
    monkeypatch.setattr(ScoringApp, "_answer", None)

    status, _, answer = sent(published, json.dumps(ROW).encode(), pieces=pieces)

    assert status == "HTTP/1.1 200 OK"
    assert json.loads(answer)["Results"]["output1"]["value"]["Values"]


def test_it_is_counted_like_any_other(published: Published) -> None:
    def n_scored() -> int:
        text = published.client.get("/metrics", headers=bearer(TOKEN)).text
        counted = [line for line in text.splitlines() if 'operation="score"' in line and 'status="200"' in line]
        return sum(int(float(line.rpartition(" ")[2])) for line in counted)

    before = n_scored()

    _, headers, _ = sent(published, json.dumps(ROW).encode(), pieces=1)

    assert n_scored() == before + 1
    assert len(headers["x-ms-request-id"]) == 32


def test_callers_are_looked_up_where_one_of_them_is_shut_out(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once: list[bool] = []
    answer = ScoringApp.answer_at_once

    def noted(*call: Any) -> Any:
        answered = answer(*call)
        at_once.append(answered is not None)
        return answered

    def execute(name: str = "live", **headers: str) -> int:
        url, own = f"{published.endpoint(name)['api_location']}/execute", published.headers(name)
        return published.client.post(url, headers={**own, **headers}, json=ROW).status_code

    for _ in range(MAX_WRONG_KEYS - 1):
        execute(**bearer("wrong"))
    monkeypatch.setattr(ScoringApp, "answer_at_once", noted)
    few = execute()
    execute(**bearer("wrong"))
    statuses = [execute(**{"X-Forwarded-For": "203.0.113.1"}), execute(), execute("staging")]

    assert (few, *statuses) == (200, 200, 503, 200)
    assert at_once == [True, False, False, False, True]
