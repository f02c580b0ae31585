"""Batch execution over HTTP, from submit to results, with a real worker and real blobs."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas
from exchanges import Jobs, Published, RunJobs, content, error_of, recorded, wait_for

from shared.wire import JobReport, JobRequest, JobStatus
from studio.batch.batches import Batches
from studio.batch.jobs import UNSTARTED_LIFETIME
from studio.batch.worker import Worker
from studio.blobs.connection import StorageAccount
from studio.services.keys import Vault
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue

JOB_ID = re.compile(rb'"[0-9a-f]{32}"')


@pytest.fixture
def published(standing: Published) -> Published:
    """No test here changes what is published; what an earlier one left in the queue is not this one's matter."""
    standing.service.storage.queue.clear_messages()
    return standing


def batches_at(published: Published, now: datetime) -> Batches:
    """The service's own use cases, at another time."""
    own = published.service
    store = JobStore(own.storage.jobs, Vault(own.settings.secret))
    return Batches(store, JobQueue(own.storage.queue), own.blobs, clock=lambda: now)


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


def test_a_second_start_is_refused(jobs: Jobs, request_body: dict[str, Any]) -> None:
    job_id = jobs.submit(request_body)
    jobs.call("POST", f"/{job_id}/start")

    answer = jobs.call("POST", f"/{job_id}/start")

    assert error_of(answer) == (400, "InvalidOperation", "CannotStartJob")
    assert "NotStarted" in answer.json()["error"]["details"][0]["message"]


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


def test_start_and_delete_need_no_api_version(jobs: Jobs, request_body: dict[str, Any]) -> None:
    job_id = str(jobs.call("POST", "", json=request_body).json())

    started = jobs.call("POST", f"/{job_id}/start", version="")
    deleted = jobs.call("DELETE", f"/{job_id}", version="")

    assert (started.status_code, deleted.status_code) == (204, 204)
    assert jobs.call("GET", f"/{job_id}").json()["StatusCode"] == "Cancelled"


def test_the_forty_first_job_waits_for_one_of_forty_and_holds_no_other_endpoint_up(
    published: Published, jobs: Jobs, request_body: dict[str, Any], worker: Worker
) -> None:
    own, crowded, rows = published.service, Jobs(published, "live"), {"Inputs": request_body["Inputs"]}
    [endpoint_id] = [endpoint.id for endpoint in published.publication.endpoints if endpoint.name == "live"]
    store = JobStore(own.storage.jobs, Vault(own.settings.secret))

    def has_finished(client: Jobs, job_id: str) -> bool:
        worker.step()
        return bool(client.call("GET", f"/{job_id}").json()["StatusCode"] == "Finished")

    def started(client: Jobs, body: object) -> str:
        job_id = client.submit(body)
        assert client.call("POST", f"/{job_id}/start").status_code == 204
        return job_id

    running = [started(crowded, rows) for _ in range(40)]
    for job_id in running:
        job = store.get(endpoint_id, job_id)
        assert job is not None
        store.save(job.claimed(datetime.now(UTC)))  # by forty other workers
    waiting, elsewhere = started(crowded, rows), started(jobs, request_body)
    wait_for(lambda: has_finished(jobs, elsewhere), "the other endpoint's job, whose turn came later")
    before = crowded.call("GET", f"/{waiting}").json()["StatusCode"]
    crowded.call("DELETE", f"/{running.pop()}")
    wait_for(lambda: has_finished(crowded, waiting), "the job that waited")

    assert before == "NotStarted"
    assert {crowded.call("GET", f"/{job_id}").json()["StatusCode"] for job_id in running} == {"Running"}
    for job_id in running:
        crowded.call("DELETE", f"/{job_id}")


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
