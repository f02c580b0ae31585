"""What the processes write to their log: as JSON, as text, and the lines of a whole job."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deployment import Deploy, JobsClient, until_true

from shared.logs import event
from shared.secret import Secret
from studio.blobs.connection import StorageAccount
from studio.log_lines import JsonLines, TextLines

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


def test_the_trace_of_an_error_stays_on_the_line_without_credentials(
    log: logging.Logger, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        raise ValueError("https://a.example/?sig=topsecret")
    except ValueError:
        log.exception("request.broken")

    assert written()["event"] == "request.broken"
    assert "ValueError" in written()["trace"]
    assert "topsecret" not in written()["trace"]
    assert "topsecret" not in TextLines().format(caplog.records[-1])


def test_what_every_line_is_about_stands_among_its_fields(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    about = {"job_id": "a1", "request_id": "b2"}
    event(log, "job.trained", seconds=1.5)
    log.warning("A library's own words")

    event_line, other_line = ({**json.loads(JsonLines(about).format(record))} for record in caplog.records)
    event_text, other_text = (TextLines(about).format(record).split(" ", 4)[-1] for record in caplog.records)

    assert (event_line["event"], event_line["job_id"], event_line["seconds"]) == ("job.trained", "a1", 1.5)
    assert (other_line["message"], other_line["request_id"]) == ("A library's own words", "b2")
    assert event_text == 'job.trained {"job_id": "a1", "request_id": "b2", "seconds": 1.5}'
    assert other_text == 'A library\'s own words {"job_id": "a1", "request_id": "b2"}'


def test_every_line_of_a_job_says_when_what_and_for_whom(
    deploy: Deploy, quick_experiment: Path, data: Path, tmp_path: Path
) -> None:
    """Server, worker and the job's own process write one form, and the job is found by its submission's request id."""
    deployment = deploy(STUDIO_LOG_JSON="1")
    publication = deployment.publish(quick_experiment, data)
    deployment.serve()
    jobs = JobsClient(deployment, publication)
    jobs.upload("train.csv", data.read_bytes())

    job_id = jobs.start("train.csv", "model")
    jobs.ended(job_id)
    until_true(lambda: '"job.ended"' in deployment.log(), "the end to be logged", deployment.log)

    text = deployment.log()
    keys = [publication["training"]["primary_key"], StorageAccount.own(Secret(deployment.connection_string)).key]
    assert not [key for key in keys if str(key.reveal() if isinstance(key, Secret) else key) in text]
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"at", "level", "logger"} <= set(line) for line in lines)
    assert all("event" in line or "message" in line for line in lines)
    [submitted] = [line for line in lines if line.get("operation") == "submit"]
    told = [line for line in lines if line.get("request_id") == submitted["request_id"] and line is not submitted]
    assert [line["event"] for line in told] == [
        *("job.claimed", "job.started", "job.fetched", "job.trained", "job.written", "job.ended")
    ]
    assert {line["job_id"] for line in told} == {job_id}
