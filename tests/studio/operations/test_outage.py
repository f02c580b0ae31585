"""A full storage outage: jobs, endpoints and scoring, during it and after it."""

from __future__ import annotations

import httpx
from deployment import Serving, Storage, until_true

ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}


def score(serving: Serving) -> httpx.Response:
    endpoint = serving.publication["predictive"]["endpoints"]["live"]
    headers = {"Authorization": f"Bearer {endpoint['primary_key']}"}
    return serving.deployment.client.post(f"{endpoint['api_location']}/execute", headers=headers, json=ROW)


def test_scoring_goes_on_from_memory_and_endpoints_are_there_afterwards(serving: Serving, storage: Storage) -> None:
    client, live = serving.deployment.client, serving.publication["predictive"]["endpoints"]["live"]
    before = score(serving).json()

    with storage.out():
        during = [score(serving) for _ in range(20)]
        refused = client.post(f"{live['api_location']}/jobs", json={}, headers={"Authorization": "Bearer x"})
    managed = {"Authorization": f"Bearer {live['primary_key']}"}
    until_true(lambda: client.get(live["management_url"], headers=managed).status_code == 200, "management to answer")

    assert [(answer.status_code, answer.json()) for answer in during] == [(200, before)] * 20
    assert refused.status_code in (401, 503)
    assert score(serving).json() == before


def test_what_is_trained_during_the_outage_is_written_after_it_and_what_waits_is_run_after_it(
    serving: Serving, storage: Storage
) -> None:
    deployment, jobs, door = serving.deployment, serving.jobs, serving.door
    deployment.work()  # another worker, that could take what is under way

    def given() -> set[str]:
        return {job_id for job_id in started if deployment.attempts(job_id)}

    door.shut()
    n_knocks = door.n_knocks
    started = [jobs.start("train.csv", f"outage{number}") for number in range(3)]
    until_true(lambda: door.n_knocks > n_knocks and given(), "a job to ask for its data", deployment.log)
    trained = given()

    with storage.out():
        door.open()
        until_true(lambda: trained <= awaiting(serving), "outputs to wait", deployment.log)
    ends = [jobs.ended(job_id)["StatusCode"] for job_id in started]

    assert ends == ["Finished"] * 3
    assert [len(deployment.attempts(job_id)) for job_id in trained] == [1] * len(trained)
    assert sorted(end["job_id"] for end in deployment.events("job.ended")) == sorted(started)
    assert all(jobs.blob(f"outage{number}.ilearner") for number in range(3))


def test_a_service_that_starts_during_an_outage_is_ready_after_it(serving: Serving, storage: Storage) -> None:
    deployment = serving.deployment
    deployment.server.terminate()
    deployment.server.wait(30)
    n_restarts, n_failures = (len(deployment.events(name)) for name in ("worker.restarted", "storage.failed"))

    with storage.out():
        server = deployment.start_serving(workers=1)
        until_true(lambda: deployment.answers("/health/live"), "the server to answer")
        unready = deployment.client.get("/health/ready")
        until_true(lambda: len(deployment.events("storage.failed")) > n_failures + 1, "server and worker to notice")
    until_true(lambda: deployment.answers("/health/ready"), "the service to be ready")

    assert len(deployment.events("worker.restarted")) == n_restarts  # it waited, as the server did
    assert unready.status_code == 503
    assert server.poll() is None
    assert score(serving).status_code == 200


def awaiting(serving: Serving) -> set[str]:
    """The jobs whose processes wait for storage."""
    return {waits["job_id"] for waits in serving.deployment.events("storage.awaited") if "job_id" in waits}
