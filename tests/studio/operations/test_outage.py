"""A full storage outage: jobs, endpoints and scoring, during it and after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
from deployment import Deploy, Deployment, JobsClient, Storage, children_of, until_true

ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}
TREES = "= 600\n"


def score(deployment: Deployment, endpoint: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {endpoint['primary_key']}"}
    return deployment.client.post(f"{endpoint['api_location']}/execute", headers=headers, json=ROW)


def served(
    deploy: Deploy, experiment: Path, data: Path, *, workers: int = 1
) -> tuple[Deployment, JobsClient, dict[str, Any], int]:
    deployment = deploy()
    publication = deployment.publish(experiment, data, "live")
    server = deployment.serve(workers=workers)
    jobs = JobsClient(deployment, publication)
    jobs.upload("train.csv", data.read_bytes())
    return deployment, jobs, publication["predictive"]["endpoints"]["live"], server.pid


def test_scoring_goes_on_from_memory_and_endpoints_are_there_afterwards(
    storage: Storage, deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    deployment, _, live, _ = served(deploy, quick_experiment, data)
    before = score(deployment, live).json()

    with storage.out():
        during = [score(deployment, live) for _ in range(20)]
        refused = deployment.client.post(f"{live['api_location']}/jobs", json={}, headers={"Authorization": "Bearer x"})
    managed = {"Authorization": f"Bearer {live['primary_key']}"}
    until_true(
        lambda: deployment.client.get(live["management_url"], headers=managed).status_code == 200,
        "management to answer",
    )

    assert [(answer.status_code, answer.json()) for answer in during] == [(200, before)] * 20
    assert refused.status_code in (401, 503)
    assert score(deployment, live).json() == before


def test_a_job_that_is_trained_during_the_outage_is_written_after_it_and_not_trained_again(
    storage: Storage, deploy: Deploy, slow_experiment: Path, data: Path
) -> None:
    deployment, jobs, _, server = served(deploy, slow_experiment, data, workers=2)
    job_id = jobs.start("train.csv", "outage")
    until_true(lambda: training(server), "the training process")

    with storage.out():
        until_true(
            lambda: "storage.awaited" in deployment.log() and '"job_id"' in waited(deployment), "outputs to wait"
        )
    status = jobs.ended(job_id)

    assert status["StatusCode"] == "Finished"
    assert deployment.log().count("job.claimed") == 1
    assert jobs.blob("outage.ilearner")


def test_jobs_accepted_before_the_outage_run_after_it(
    storage: Storage, deploy: Deploy, slow_experiment: Path, data: Path
) -> None:
    deployment, jobs, _, server = served(deploy, slow_experiment, data)
    started = [jobs.start("train.csv", f"kept{number}") for number in range(3)]
    until_true(lambda: training(server), "the training process", deployment.log)

    with storage.out():
        until_true(lambda: "storage.awaited" in deployment.log(), "the outage to be noticed")
    ends = [jobs.ended(job_id)["StatusCode"] for job_id in started]

    assert ends == ["Finished"] * 3
    ended = [
        json.loads(line[line.index("{") :])["job_id"] for line in deployment.log().splitlines() if "job.ended" in line
    ]
    assert sorted(ended) == sorted(started)


def test_a_service_that_starts_during_an_outage_is_ready_after_it(
    storage: Storage, deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    deployment = deploy()
    live = deployment.publish(quick_experiment, data, "live")["predictive"]["endpoints"]["live"]

    with storage.out():
        server = deployment.start_serving(workers=1)
        until_true(lambda: deployment.answers("/health/live"), "the server to answer")
        unready = deployment.client.get("/health/ready")
    until_true(lambda: deployment.answers("/health/ready"), "the service to be ready")

    assert unready.status_code == 503
    assert server.poll() is None
    assert score(deployment, live).status_code == 200


def training(server: int) -> bool:
    """Whether a training process is there."""
    workers = [pid for pid, command in children_of(server).items() if "studio work" in command]
    forkers = [pid for worker in workers for pid, command in children_of(worker).items() if "forkserver" in command]
    return any(children_of(forker) for forker in forkers)


def waited(deployment: Deployment) -> str:
    """The log lines of training processes that wait for storage."""
    return "\n".join(line for line in deployment.log().splitlines() if "storage.awaited" in line)
