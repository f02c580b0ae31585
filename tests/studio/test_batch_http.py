"""Batch execution over HTTP, from submit to results, with a real worker and real blobs."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas
from exchanges import VERSION, Published, bearer, error_of, people, recorded

from shared.secret import Secret
from shared.wire import JobReport, JobRequest, JobStatus
from studio.batches import Batches
from studio.connection import StorageAccount
from studio.jobs import UNSTARTED_LIFETIME
from studio.keys import Vault
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue

RunJobs = Callable[[], None]
JOB_ID = re.compile(rb'"[0-9a-f]{32}"')


@pytest.fixture
def published(standing: Published) -> Published:
    """No test here changes what is published; what an earlier one left in the queue is not this one's matter."""
    standing.service.storage.queue.clear_messages()
    return standing


@pytest.fixture
def request_body(box: ContainerClient, storage: Secret, tmp_path: Path) -> dict[str, Any]:
    """Upload training data and name it, with both outputs, as the recorded request does."""
    box.upload_blob("train.csv", people(tmp_path / "train.csv", 400, seed=1).read_bytes())
    body = recorded("batch_bodies.json")["submit_current"]["body"]
    for reference in (*body["Inputs"].values(), *body["Outputs"].values()):
        reference["ConnectionString"] = storage.reveal()
        reference["RelativeLocation"] = reference["RelativeLocation"].replace("box", str(box.container_name))
    return dict(body)


class Jobs:
    """A client of the training web service."""

    def __init__(self, published: Published) -> None:
        self.published = published

    def submit(self, body: object) -> str:
        answer = self.call("POST", "", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    def call(self, method: str, path: str, *, version: str = VERSION, **sent: Any) -> httpx.Response:
        headers = {**self.published.jobs_headers, **sent.pop("headers", {})}
        return self.published.client.request(
            method, f"{self.published.jobs_url}{path}{version}", headers=headers, **sent
        )

    def finished(self, body: object, run_jobs: RunJobs) -> dict[str, Any]:
        job_id = self.submit(body)
        assert self.call("POST", f"/{job_id}/start").status_code == 204
        run_jobs()
        return dict(self.call("GET", f"/{job_id}").json())


@pytest.fixture
def jobs(published: Published) -> Jobs:
    return Jobs(published)


def batches_at(published: Published, now: datetime) -> Batches:
    """The service's own use cases, at another time."""
    own = published.service
    store = JobStore(own.storage.jobs, Vault(own.settings.secret))
    return Batches(store, JobQueue(own.storage.queue), own.blobs, clock=lambda: now)


def content(result: dict[str, Any]) -> bytes:
    """Open a result as clients do: by joining its three parts."""
    address = result["BaseLocation"] + result["RelativeLocation"] + result["SasBlobToken"]
    return httpx.get(address, trust_env=False).raise_for_status().content


def test_a_submitted_jobs_id_is_a_json_string_and_nothing_else(jobs: Jobs, request_body: dict[str, Any]) -> None:
    answer = jobs.call("POST", "", json=request_body)

    assert JOB_ID.fullmatch(answer.content)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_a_job_trains_and_writes_both_outputs_where_the_caller_said(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient
) -> None:
    status = jobs.finished(request_body, run_jobs)

    assert (status["StatusCode"], status["Details"]) == ("Finished", None)
    assert status["Results"]["output1"]["RelativeLocation"] == f"{box.container_name}/model.ilearner"
    assert content(status["Results"]["output1"]) == box.download_blob("model.ilearner").readall()
    metrics = list(csv.DictReader(io.StringIO(content(status["Results"]["output2"]).decode())))
    assert list(metrics[0])[:5] == ["Accuracy", "Precision", "Recall", "F-Score", "AUC"]
    assert float(metrics[0]["AUC"]) > 0.8


def test_a_finished_status_has_exactly_the_recorded_fields(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    shape = recorded("batch_bodies.json")["status_finished"]["body"]

    status = jobs.finished(request_body, run_jobs)

    assert list(status) == list(shape)
    result = status["Results"]["output1"]
    assert list(result) == list(shape["Results"]["output1"])
    assert result["ConnectionString"] is None
    assert result["BaseLocation"].endswith("/")
    assert not result["RelativeLocation"].startswith("/")
    assert result["SasBlobToken"].startswith("?")


def test_an_unfinished_status_has_exactly_the_recorded_fields(jobs: Jobs, request_body: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)

    submitted = jobs.call("GET", f"/{job_id}").json()
    jobs.call("POST", f"/{job_id}/start")
    queued = jobs.call("GET", f"/{job_id}").json()

    expected = {**recorded("batch_bodies.json")["status_running"]["body"], "StatusCode": "NotStarted"}
    assert submitted == queued == expected


def test_outputs_that_nobody_named_are_in_the_services_own_storage(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    status = jobs.finished({"Inputs": request_body["Inputs"]}, run_jobs)

    model = status["Results"]["output1"]
    assert re.fullmatch(r"experimentoutput/[0-9a-f-]{36}/[0-9a-f-]{36}\.ilearner", model["RelativeLocation"])
    assert content(model)


def test_data_and_outputs_may_be_named_by_shared_access_signature(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient, account: StorageAccount
) -> None:
    token = generate_container_sas(
        account.name,
        str(box.container_name),
        account.key.reveal(),  # type: ignore[union-attr]
        permission=ContainerSasPermissions(read=True, write=True, create=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    for reference in (*request_body["Inputs"].values(), *request_body["Outputs"].values()):
        reference.update(ConnectionString=None, BaseLocation=account.base_location, SasBlobToken=f"?{token}")

    status = jobs.finished(request_body, run_jobs)

    assert status["StatusCode"] == "Finished", status["Details"]
    assert status["Results"]["output1"]["SasBlobToken"] == f"?{token}"
    assert content(status["Results"]["output1"])


@pytest.mark.parametrize("name", ["metrics.tsv", "metrics.arff", "retrainer-2016-05-01T10:11:12.csv"])
def test_metrics_are_written_in_the_format_of_their_name(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient, name: str
) -> None:
    request_body["Outputs"]["output2"]["RelativeLocation"] = f"/{box.container_name}/{name}"

    status = jobs.finished(request_body, run_jobs)

    first_line = content(status["Results"]["output2"]).splitlines()[0]
    assert first_line.startswith({"tsv": b"Accuracy\t", "arff": b"@RELATION", "csv": b"Accuracy,"}[name.split(".")[1]])


def test_parameters_reach_the_training(jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs) -> None:
    models = []
    for seed in (1, 2, 1):
        status = jobs.finished({**request_body, "GlobalParameters": {"Random seed": seed}}, run_jobs)
        models.append(content(status["Results"]["output1"]))

    assert models[0] != models[1]
    assert models[0] == models[2]


def test_each_get_of_a_finished_job_makes_new_tokens(
    published: Published, jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    job_id = jobs.submit(request_body)
    jobs.call("POST", f"/{job_id}/start")
    run_jobs()
    batches = batches_at(published, datetime.now(UTC) + timedelta(hours=2))

    now = JobReport.from_wire(jobs.call("GET", f"/{job_id}").json())
    afterwards = batches.report(published.publication.jobs_endpoint.id, job_id)

    assert now.results["output1"].sas_token != afterwards.results["output1"].sas_token


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"content": b"", "headers": {"Content-Type": "application/json"}},
        {"content": b"", "headers": {"Content-Type": "application/json; charset=us-ascii"}},
        {"content": b"{}", "headers": {"Content-Type": "application/json"}},
        {"content": b"not json"},
    ],
)
def test_start_takes_any_body_or_none(jobs: Jobs, request_body: dict[str, Any], sent: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)

    answer = jobs.call("POST", f"/{job_id}/start", **sent)

    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/json", "Content-Encoding": "UTF-8", "Accept": "text/json"},
        {"Content-Type": "application/json; charset=us-ascii"},
        {"Content-Type": "text/plain"},
    ],
)
def test_submit_minds_no_content_type(jobs: Jobs, request_body: dict[str, Any], headers: dict[str, str]) -> None:
    body = httpx.Request("POST", "http://x", json=request_body).content

    assert jobs.call("POST", "", content=body, headers=headers).status_code == 200


def test_a_second_start_is_refused(jobs: Jobs, request_body: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)
    jobs.call("POST", f"/{job_id}/start")

    answer = jobs.call("POST", f"/{job_id}/start")

    assert error_of(answer) == (400, "InvalidOperation", "CannotStartJob")
    assert "NotStarted" in answer.json()["error"]["details"][0]["message"]


@pytest.mark.parametrize("job_id", ["0" * 32, "nonsense", "it's"])
@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/start")])
def test_an_unknown_job_is_not_found(jobs: Jobs, job_id: str, method: str, suffix: str) -> None:
    assert error_of(jobs.call(method, f"/{job_id}{suffix}")) == (404, "NotFound", "JobNotFound")


def test_a_job_of_another_endpoint_is_not_found(jobs: Jobs, published: Published, request_body: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)
    live = published.endpoint("live")

    answer = published.client.get(f"{live['api_location']}/jobs/{job_id}", headers=bearer(live["primary_key"]))

    assert answer.status_code == 404


def test_a_job_that_is_not_started_expires(published: Published, jobs: Jobs, request_body: dict[str, Any]) -> None:
    own = published.service
    endpoint_id = published.publication.jobs_endpoint.id
    old = batches_at(published, datetime.now(UTC) - UNSTARTED_LIFETIME)
    young = batches_at(published, datetime.now(UTC) - UNSTARTED_LIFETIME / 2)
    request = JobRequest.from_wire(request_body)
    digest = own.registry.catalog.services[published.publication.training.id].experiment

    expired = old.submit(endpoint_id, digest, request).id
    waiting = young.submit(endpoint_id, digest, request).id

    assert [jobs.call("GET", f"/{job}").status_code for job in (expired, waiting)] == [404, 200]
    assert [jobs.call("POST", f"/{job}/start").status_code for job in (expired, waiting)] == [404, 204]


def test_deleting_a_finished_job_forgets_it_and_keeps_its_outputs(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    job_id = jobs.submit(request_body)
    jobs.call("POST", f"/{job_id}/start")
    run_jobs()
    results = jobs.call("GET", f"/{job_id}").json()["Results"]

    answer = jobs.call("DELETE", f"/{job_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert jobs.call("GET", f"/{job_id}").status_code == 404
    assert content(results["output1"])
    assert content(results["output2"])


@pytest.mark.parametrize("started", [False, True])
def test_deleting_a_waiting_job_cancels_it_for_good(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient, started: bool
) -> None:
    job_id = jobs.submit(request_body)
    if started:
        jobs.call("POST", f"/{job_id}/start")

    answers = [jobs.call("DELETE", f"/{job_id}").status_code for _ in range(2)]
    run_jobs()

    assert answers == [204, 204]
    assert jobs.call("GET", f"/{job_id}").json() == {"StatusCode": "Cancelled", "Results": None, "Details": None}
    assert [blob.name for blob in box.list_blobs()] == ["train.csv"]


def test_a_failed_job_says_which_module_failed_and_why(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient
) -> None:
    box.upload_blob("train.csv", b"age,hours,job\n30,40,clerk\n", overwrite=True)

    status = jobs.finished(request_body, run_jobs)

    assert (status["StatusCode"], status["Results"]) == ("Failed", None)
    assert re.match(r"Module: .+; Error \d{4}: .*income", status["Details"])


def test_data_that_does_not_exist_fails_the_job_without_showing_a_credential(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs, box: ContainerClient, account: StorageAccount
) -> None:
    request_body["Inputs"]["input1"]["RelativeLocation"] = f"{box.container_name}/absent.csv"

    status = jobs.finished(request_body, run_jobs)

    assert status["StatusCode"] == "Failed"
    assert f"{box.container_name}/absent.csv" in status["Details"]
    assert account.key is not None
    assert account.key.reveal() not in status["Details"]


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
    assert jobs.call("POST", "", content=b" " * 50_000).status_code == 413


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


def test_a_predictive_service_runs_no_jobs(published: Published) -> None:
    live = published.endpoint("live")

    answer = published.client.post(f"{live['api_location']}/jobs", headers=bearer(live["primary_key"]), json={})

    assert error_of(answer) == (400, "BadArgument", "WebServiceTypeInvalid")


def test_a_client_without_api_version_is_served_as_in_2015(
    jobs: Jobs, request_body: dict[str, Any], run_jobs: RunJobs
) -> None:
    shape = recorded("batch_bodies.json")["status_oldest"]["body"]
    oldest = {"Input": request_body["Inputs"]["input1"], "Output": None, "GlobalParameters": {}}

    job_id = str(jobs.call("POST", "", version="", json=oldest).json())
    waiting = jobs.call("GET", f"/{job_id}", version="").json()
    run_jobs()
    status = jobs.call("GET", f"/{job_id}", version="").json()

    assert waiting["StatusCode"] == 0
    assert status["StatusCode"] == shape["StatusCode"]
    assert status["Result"].keys() == shape["Result"].keys()
    assert content(status["Result"])
    assert JobReport.from_wire(status).status is JobStatus.FINISHED


def test_nothing_stored_shows_a_credential(
    published: Published, jobs: Jobs, request_body: dict[str, Any], account: StorageAccount
) -> None:
    job_id = jobs.submit(request_body)
    own = published.service.storage

    rows = [own.jobs.get_entity(published.publication.jobs_endpoint.id, job_id)]
    rows += own.catalog.query_entities(f"PartitionKey eq '{published.json['workspace']}'")

    assert account.key is not None
    secrets = [account.key.reveal(), published.json["training"]["primary_key"]]
    assert not [secret for secret in secrets for row in rows if secret in str(row)]
