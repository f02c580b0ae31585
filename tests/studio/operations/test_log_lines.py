"""Log lines as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from shared.logs import event
from studio.log_lines import JsonLines

Written = Callable[[], dict[str, Any]]


@pytest.fixture
def log() -> logging.Logger:
    return logging.getLogger("studio.test_log_lines")


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Written:
    caplog.set_level(logging.INFO)
    return lambda: dict(json.loads(JsonLines().format(caplog.records[-1])))


def test_an_event_becomes_one_object_with_its_fields(log: logging.Logger, written: Written) -> None:
    event(log, "job.ended", job_id="a1", seconds=1.5)

    line = written()

    assert (line["event"], line["job_id"], line["seconds"]) == ("job.ended", "a1", 1.5)
    assert (line["level"], line["logger"]) == ("INFO", "studio.test_log_lines")
    assert line["at"].endswith("+00:00")


@pytest.mark.parametrize("message", ["plain words", "one", "odd [1]", "odd {not json}", ""])
def test_any_other_message_is_kept_as_it_is(log: logging.Logger, written: Written, message: str) -> None:
    log.info(message)

    assert written()["message"] == message


def test_the_trace_of_an_error_stays_on_the_line_without_credentials(log: logging.Logger, written: Written) -> None:
    try:
        raise ValueError("https://a.example/?sig=topsecret")
    except ValueError:
        log.exception("request.broken")

    assert "ValueError" in written()["trace"]
    assert "topsecret" not in written()["trace"]
