"""The shared protocol records against recorded bodies: what is read, and that writing gives the recording back."""

from __future__ import annotations

from typing import Any

import pytest
from exchanges import recorded

from shared.wire import (
    Endpoint,
    Fault,
    JobReport,
    JobRequest,
    JobStatus,
    Resource,
    Table,
    resource_update,
    scoring_answer,
    scoring_request,
)

BATCH = recorded("batch_bodies.json")
SCORING = recorded("scoring_bodies.json")
MANAGEMENT = recorded("management_bodies.json")


def without_nulls(body: Any) -> Any:
    if isinstance(body, dict):
        return {key: without_nulls(value) for key, value in body.items() if value is not None}
    return [without_nulls(item) for item in body] if isinstance(body, list) else body


@pytest.mark.parametrize("file", ["batch_bodies.json", "scoring_bodies.json", "management_bodies.json"])
def test_every_recording_names_its_origin(file: str) -> None:
    assert [name for name, entry in recorded(file).items() if not entry.get("origin")] == []


def test_a_current_submission_is_written_as_recorded_but_for_slashes_and_nulls() -> None:
    body = BATCH["submit_current"]["body"]

    written = without_nulls(JobRequest.from_wire(body).to_wire())

    for reference in (*body["Inputs"].values(), *body["Outputs"].values()):
        reference["RelativeLocation"] = reference["RelativeLocation"].lstrip("/")
    assert written == body


@pytest.mark.parametrize("name", ["status_finished", "status_running", "status_failed"])
def test_a_status_is_read_and_written_back_as_recorded(name: str) -> None:
    body = BATCH[name]["body"]

    assert JobReport.from_wire(body).to_wire() == body


def test_the_oldest_status_is_understood() -> None:
    report = JobReport.from_wire(BATCH["status_oldest"]["body"])

    assert report.status is JobStatus.FINISHED
    assert report.results["output1"].relative_location == "box/scores.csv"


def test_a_scoring_request_is_written_as_recorded() -> None:
    table = Table(("age", "sex"), [["39", "Male"], ["50", "Female"]])

    assert scoring_request(table) == SCORING["request_table"]["body"]


@pytest.mark.parametrize("name", ["answer_details", "answer_numeric"])
def test_a_detailed_answer_is_read_as_recorded(name: str) -> None:
    value = SCORING[name]["body"]["Results"]["output1"]["value"]

    table = scoring_answer(SCORING[name]["body"])

    assert list(table.columns) == value["ColumnNames"]
    assert table.rows == value["Values"]


def test_an_endpoint_is_read_and_written_back_as_recorded() -> None:
    body = MANAGEMENT["endpoint"]["body"]

    written = Endpoint.from_wire(body).to_wire()

    assert written == body
    assert list(written) == list(body)


def test_an_update_is_written_as_recorded() -> None:
    body = MANAGEMENT["update"]["body"]

    assert resource_update([Resource.from_wire(body["Resources"][0], "Resources[0]")]) == body


@pytest.mark.parametrize("entry", [BATCH["invalid_extension"], SCORING["unauthorized"]])
def test_an_error_is_read_and_written_back_as_recorded(entry: dict[str, Any]) -> None:
    assert Fault.from_wire(entry["body"]).to_wire() == entry["body"]
