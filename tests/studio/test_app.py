"""What every answer has in common: health, request ids, log lines, errors in the protocol's form; the description."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from exchanges import TOKEN, VERSION, Published, bearer, error_of, wait_for

from shared.logs import masked
from shared.wire import Fault


@pytest.fixture
def published(standing: Published) -> Published:
    return standing


def test_a_running_service_is_live_and_ready(published: Published) -> None:
    assert published.client.get("/health/live").json()["status"] == "live"
    assert published.client.get("/health/ready").json() == {"status": "ready", "problems": []}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "NotFound"),
        ("GET", "/workspaces/x/services/y", 404, "NotFound"),
        ("PUT", "/health/live", 405, "MethodNotAllowed"),
        ("GET", "/workspaces/x/services/y/jobs", 405, "MethodNotAllowed"),
        ("GET", "/workspaces/x/services/y/jobs/z", 404, "NotFound"),
        ("GET", "/workspaces/x/services/y/swagger.json", 404, "NotFound"),
        ("GET", "/workspaces/x/webservices", 401, "Unauthorized"),
        ("GET", "/workspaces/x/webservices/", 404, "NotFound"),
        ("POST", "/workspaces/x/services/y/jobs/", 404, "NotFound"),
        ("POST", "/workspaces/x/services/y/execute/", 404, "NotFound"),
    ],
)
def test_every_refusal_has_the_protocols_form(
    published: Published, method: str, path: str, status: int, code: str
) -> None:
    answer = published.client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    fault = Fault.from_wire(answer.json())
    assert fault.code == code
    assert fault.details


@pytest.mark.parametrize("path", ["/health/live", "/nowhere", "/workspaces/a/services/b/execute"])
def test_each_answer_has_a_request_id_of_its_own(published: Published, path: str) -> None:
    ids = [published.client.post(path).headers["x-ms-request-id"] for _ in range(2)]

    assert ids[0] != ids[1]
    assert re.fullmatch("[0-9a-f]{32}", ids[0])


def test_the_callers_own_request_id_is_echoed(published: Published) -> None:
    answer = published.client.get("/health/live", headers={"x-ms-client-request-id": "run-17"})

    assert answer.headers["x-ms-client-request-id"] == "run-17"


def test_a_request_id_that_could_spoil_a_log_is_not_echoed(published: Published) -> None:
    answer = published.client.get("/health/live", headers={"x-ms-client-request-id": '"}{"x":' * 9})

    assert "x-ms-client-request-id" not in answer.headers


def test_each_request_leaves_one_line_without_any_credential(
    published: Published, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    key = published.json["training"]["primary_key"]
    connection = published.service.settings.storage.reveal()
    reference = {"ConnectionString": connection, "RelativeLocation": "box/a.csv"}

    answer = published.client.post(
        published.jobs_url + VERSION,
        headers={**bearer(key), "x-ms-client-request-id": "run-18"},
        json={"Inputs": {"input1": reference}},
    )

    written = written_soon(capsys, "run-18")
    [line] = [line for line in written.splitlines() if " request.answered " in line and "run-18" in line]
    facts = json.loads(line.partition(" request.answered ")[2])
    assert facts["job_id"] == answer.json()
    assert facts["request_id"] == answer.headers["x-ms-request-id"]
    assert facts["client_request_id"] == "run-18"
    assert (facts["method"], facts["status"], facts["endpoint"]) == ("POST", 200, "default")
    said = caplog.text + written
    assert key not in said
    assert connection not in said
    assert masked(said) == said


def written_soon(capsys: pytest.CaptureFixture[str], request_id: str) -> str:
    """Return what is written to standard error; lines of requests are written several at a time."""
    parts: list[str] = []

    def has_come() -> bool:
        parts.append(capsys.readouterr().err)
        return request_id in "".join(parts)

    wait_for(has_come, "the line to be written")
    return "".join(parts)


def test_an_error_that_nobody_foresaw_is_answered_in_the_protocols_form(
    published: Published, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("topsecret")

    monkeypatch.setattr(published.service.batches, "report", broken)

    answer = published.client.get(f"{published.jobs_url}/{'0' * 32}", headers=published.jobs_headers)

    assert error_of(answer) == (500, "InternalError", "UnknownError")
    assert "topsecret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture(params=["by its API address", "by its management address", "by its help", "by its subscription"])
def description(request: pytest.FixtureRequest, published: Published) -> dict[str, Any]:
    live = published.endpoint("live")
    shown = published.client.get(live["management_url"], headers=bearer(TOKEN)).json()
    addresses = {
        "by its API address": f"{live['api_location']}/swagger.json{VERSION}",
        "by its management address": shown["HelpLocation"].replace("/apihelp/", "/") + "/apidocument",
        "by its help": shown["HelpLocation"] + "/apidocument",
        "by its subscription": f"{live['api_location']}/swagger.json".replace("workspaces", "subscriptions"),
    }
    return dict(published.client.get(addresses[request.param]).raise_for_status().json())


def test_the_description_needs_no_key_and_holds_what_clients_read(description: dict[str, Any]) -> None:
    definitions = description["definitions"]

    assert description["swagger"] == "2.0"
    assert {
        *("ExecutionRequest", "ExecutionInputs", "ExecutionOutputs", "ExecutionResults", "GlobalParameters"),
        *("input1Item", "output1Item", "BatchExecutionRequest", "BatchInputs", "BatchOutputs"),
        *("BatchExecutionStatus", "AzureBlobDataReference"),
    } <= set(definitions)
    assert list(definitions["input1Item"]["properties"]) == ["age", "hours", "job", "income"]
    assert definitions["output1Item"]["properties"]["Scored Probabilities"]["type"] == "number"
    assert len([path for path in description["paths"] if "/execute?" in path]) == 2


def test_the_descriptions_example_can_be_sent_as_it_is(published: Published, description: dict[str, Any]) -> None:
    path = next(path for path in description["paths"] if path.startswith("/execute?"))
    address = f"{description['schemes'][0]}://{description['host']}{description['basePath']}{path}"

    answer = published.client.post(
        address, headers=published.headers("live"), json=description["definitions"]["ExecutionRequest"]["example"]
    )

    assert answer.status_code == 200, answer.text
    assert set(answer.json()["Results"]["output1"][0]) == set(description["definitions"]["output1Item"]["properties"])


def test_every_reference_in_the_description_leads_somewhere(description: dict[str, Any]) -> None:
    named = set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(description)))

    assert named
    assert named <= set(description["definitions"])


def test_a_training_services_description_names_its_parameters_with_their_defaults(published: Published) -> None:
    address = published.jobs_url.replace("/jobs", "/swagger.json")

    definitions = published.client.get(address).json()["definitions"]

    assert definitions["GlobalParameters"]["properties"] == {"Random seed": {"type": "string", "default": "1"}}
    assert definitions["BatchExecutionRequest"]["properties"]["GlobalParameters"] == {
        "$ref": "#/definitions/GlobalParameters"
    }
