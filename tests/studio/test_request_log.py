"""The log lines of requests: the form of the other lines, written soon and whole."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from datetime import datetime

import pytest

from shared.logs import event
from studio.log_lines import JsonLines
from studio.web.request_log import RequestLog, facts_json

AT = 1_795_600_000.25
FIELDS = {"request_id": "a1", "client_request_id": None, "path": "/x", "status": 200, "duration_ms": 0.4}
ANSWERED = ("a1", "", 200, 0.0004, facts_json({"path": "/x"}))


@pytest.fixture(autouse=True)
def _informed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def written(capsys: pytest.CaptureFixture[str], *, as_json: bool, lines: int = 1) -> list[str]:
    async def log() -> None:
        requests = RequestLog(as_json=as_json, clock=lambda: AT)
        for _ in range(lines):
            requests.add(*ANSWERED)
        requests.flush()

    asyncio.run(log())
    return capsys.readouterr().err.splitlines()


def record_of(caplog: pytest.LogCaptureFixture) -> logging.LogRecord:
    """Log the same event as everything else is logged."""
    event(logging.getLogger("studio.web.observed"), "request.answered", **FIELDS)
    [record] = caplog.records
    record.created, record.msecs = AT, 250
    return record


def test_a_line_has_the_form_of_every_other_line(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    [line] = written(capsys, as_json=False)

    other = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s").format(record_of(caplog))
    assert line.partition("{")[0] == other.partition("{")[0]
    assert json.loads(line[line.index("{") :]) == json.loads(other[other.index("{") :])


def test_a_json_line_has_the_form_of_every_other_json_line(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    [line] = written(capsys, as_json=True)

    assert json.loads(line) == json.loads(JsonLines().format(record_of(caplog)))


def test_the_callers_own_id_and_facts_that_are_known_stand_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    async def log() -> None:
        requests = RequestLog(as_json=True)
        requests.add("a1", "run-17:2", 503, 1.23456, facts_json({"path": "/Größe", "job_id": None, "service": 'a "b"'}))
        requests.flush()

    asyncio.run(log())

    [line] = _lines(capsys)
    found = json.loads(line)
    assert (found["client_request_id"], found["status"], found["duration_ms"]) == ("run-17:2", 503, 1234.56)
    assert (found["path"], found["service"]) == ("/Größe", 'a "b"')
    assert "job_id" not in found


def test_lines_are_written_soon_after_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    async def log() -> str:
        RequestLog().add(*ANSWERED)
        until = time.monotonic() + 5
        said = ""
        while not said and time.monotonic() < until:
            await asyncio.sleep(0.01)
            said = capsys.readouterr().err
        return said

    assert asyncio.run(log()).count("request.answered") == 1


def test_lines_do_not_pile_up(capsys: pytest.CaptureFixture[str]) -> None:
    async def log() -> int:
        requests = RequestLog()
        for _ in range(2000):
            requests.add(*ANSWERED)
        return capsys.readouterr().err.count("\n")  # no time has passed for the loop

    assert asyncio.run(log()) >= 1500


def test_a_credential_in_an_address_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    async def log() -> None:
        requests = RequestLog()
        requests.add(*ANSWERED[:-1], facts_json({"path": "/box/a.csv&sig=topsecret"}))
        requests.flush()

    asyncio.run(log())

    assert "topsecret" not in capsys.readouterr().err


def test_the_date_of_a_line_is_that_of_its_answer(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((AT, AT + 60))

    async def log() -> None:
        requests = RequestLog(clock=lambda: next(times))
        requests.add(*ANSWERED)
        requests.add(*ANSWERED)
        requests.flush()

    asyncio.run(log())

    first, second = (datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f") for line in _lines(capsys))
    assert (second - first).total_seconds() == 60


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_nothing_is_written_where_such_lines_are_not_wanted(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    assert written(capsys, as_json=False) == []
