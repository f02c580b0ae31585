"""Batch execution over HTTP: who is let in, which requests are read, and how others are refused."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import VERSION, Jobs, Published, bearer, error_of, recorded


@pytest.fixture
def published(standing: Published) -> Published:
    """No test here changes what is published; what an earlier one left in the queue is not this one's matter."""
    standing.service.storage.queue.clear_messages()
    return standing


def test_a_wrong_extension_is_refused_as_recorded(
    jobs: Jobs, request_body: dict[str, Any], box: ContainerClient
) -> None:
    expected = recorded("batch_bodies.json")["invalid_extension"]
    request_body["Outputs"]["output2"]["RelativeLocation"] = "box/metrics.ilearner"

    answer = jobs.call("POST", "", json=request_body)

    assert answer.status_code == expected["status"]
    assert answer.json() == expected["body"]


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[1,]"])
def test_a_body_that_is_not_json_is_refused(jobs: Jobs, text: bytes) -> None:
    assert error_of(jobs.call("POST", "", content=text)) == (400, "BadArgument", "RequestBodyInvalid")


def test_a_body_that_is_too_large_is_refused(jobs: Jobs) -> None:
    read, refused = (jobs.call("POST", "", content=b"{}".ljust(n_bytes)) for n_bytes in (40_000, 40_001))

    assert error_of(read) == (400, "BadArgument", "BatchJobInputsNotSpecified")
    assert error_of(refused) == (413, "MemoryQuotaViolation", "OutOfMemoryLimit")


@pytest.mark.parametrize("owner", ["workspaces", "subscriptions"])
@pytest.mark.parametrize("which", ["primary_key", "secondary_key"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_both_keys_and_both_kinds_of_owner_are_accepted(
    published: Published, request_body: dict[str, Any], owner: str, which: str, scheme: str
) -> None:
    training = published.json["training"]
    address = training["jobs_url"].replace("workspaces", owner)

    answer = published.client.post(
        address + VERSION, headers={"Authorization": f"{scheme} {training[which]}"}, json=request_body
    )

    assert answer.status_code == 200


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic x"}, bearer("wrong")])
def test_a_missing_or_wrong_key_is_unauthorized(published: Published, header: dict[str, str]) -> None:
    answer = published.client.post(published.jobs_url + VERSION, headers=header, json={})

    assert answer.status_code == 401
    assert answer.json() == recorded("scoring_bodies.json")["unauthorized"]["body"]


def test_another_endpoints_key_does_not_open_this_one(published: Published) -> None:
    answer = published.client.post(published.jobs_url + VERSION, headers=published.headers("live"), json={})

    assert answer.status_code == 401


def test_another_workspace_is_not_found(published: Published) -> None:
    address = published.jobs_url.replace(published.json["workspace"], uuid.uuid4().hex)

    answer = published.client.post(address, headers=published.jobs_headers, json={})

    assert error_of(answer) == (404, "NotFound", "WebServiceNotFound")


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "it's"])
@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/start")])
def test_an_unknown_job_is_not_found(jobs: Jobs, job_id: str, method: str, suffix: str) -> None:
    assert error_of(jobs.call(method, f"/{job_id}{suffix}")) == (404, "NotFound", "JobNotFound")


def test_a_job_of_another_endpoint_is_not_found(jobs: Jobs, published: Published, request_body: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)
    live = published.endpoint("live")

    answer = published.client.get(f"{live['api_location']}/jobs/{job_id}", headers=bearer(live["primary_key"]))

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/json", "Content-Encoding": "UTF-8", "Accept": "text/json"},
        {"Content-Type": "application/json; charset=us-ascii"},
        {"Content-Type": "text/plain"},
    ],
)
def test_submit_minds_no_content_type_and_no_byte_order_mark(
    jobs: Jobs, request_body: dict[str, Any], headers: dict[str, str]
) -> None:
    body = httpx.Request("POST", "http://x", json=request_body).content

    assert jobs.call("POST", "", content=body, headers=headers).status_code == 200
    assert jobs.call("POST", "", content=b"\xef\xbb\xbf" + body, headers=headers).status_code == 200
