"""Several serving processes and workers over one storage account: swaps that nobody notices, jobs that run once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from deployment import TOKEN, Deploy, Deployment, JobsClient, alive, children_of, kill, until_true
from exchanges import people

ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}
BODY = json.dumps(ROW).encode()
N_CLIENTS = 4


class Load:
    """Clients that score one row over and over, each over connections of its own; a bounded number of requests."""

    def __init__(self, deployment: Deployment, endpoint: dict[str, Any]) -> None:
        self._url = f"{deployment.url}{httpx.URL(endpoint['api_location']).path}/execute"
        self._headers = {"Authorization": f"Bearer {endpoint['primary_key']}"}
        self._stop = threading.Event()
        self.answers: list[tuple[float, int, str]] = []  # when it ended, status, probability
        self._threads = [threading.Thread(target=self._send) for _ in range(N_CLIENTS)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def seen(self) -> set[str]:
        return {probability for _, _, probability in self.answers}

    def _send(self) -> None:
        while not self._stop.is_set() and len(self.answers) < 20_000:
            with httpx.Client(trust_env=False, timeout=10, headers=self._headers) as client:
                for _ in range(25):  # then a new connection, which may reach another process
                    self._send_one(client)

    def _send_one(self, client: httpx.Client) -> None:
        try:
            answer = client.post(self._url, json=ROW)
            values = answer.json()["Results"]["output1"]["value"]["Values"] if answer.status_code == 200 else [[""]]
            self.answers.append((time.monotonic(), answer.status_code, values[0][-1]))
        except httpx.TransportError as error:
            self.answers.append((time.monotonic(), 0, repr(error)))


def test_a_model_is_swapped_in_every_process_without_a_failed_request(
    deploy: Deploy, quick_experiment: Path, data: Path, tmp_path: Path
) -> None:
    deployment = deploy(STUDIO_PROCESSES="2")
    publication = deployment.publish(quick_experiment, data, "live")
    live = publication["predictive"]["endpoints"]["live"]
    server = deployment.serve()
    assert len([c for c in children_of(server.pid).values() if "scoring_process" in c]) == 2
    jobs = JobsClient(deployment, publication)
    jobs.upload("other.csv", people(tmp_path / "other.csv", 3000, seed=9).read_bytes())
    results = jobs.ended(jobs.start("other.csv", "challenger"))["Results"]
    location = {"Name": publication["predictive"]["resource"], "Location": results["output1"]}
    raise_calls(deployment, live)

    with Load(deployment, live) as load:
        until_true(lambda: len(load.answers) > 200, "the load to run")
        patch(deployment, live, {"Resources": [location]})
        patched_at = time.monotonic()
        until_true(lambda: time.monotonic() > patched_at + 2, "two seconds of answers after the swap")

    statuses = Counter(status for _, status, _ in load.answers)
    assert statuses == {200: len(load.answers)}
    assert len(load.seen()) == 2
    new = load.answers[-1][2]
    assert {answer for at, _, answer in load.answers if at > patched_at + 1} == {new}
    until_true(lambda: n_scored(deployment) == len(load.answers), "either process to answer a scrape for both")


def n_scored(deployment: Deployment) -> int:
    answer = deployment.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    start = 'studio_requests_total{operation="score",status="200"} '
    return next(int(float(line[len(start) :])) for line in answer.text.splitlines() if line.startswith(start))


def raise_calls(deployment: Deployment, endpoint: dict[str, Any]) -> None:
    """Let more clients in than the load has, and wait until every process knows."""
    patch(deployment, endpoint, {"MaxConcurrentCalls": 50})
    raised_at = time.monotonic()
    until_true(lambda: time.monotonic() > raised_at + 1, "every process to have looked")


def patch(deployment: Deployment, endpoint: dict[str, Any], body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {endpoint['primary_key']}"}
    answer = deployment.client.patch(endpoint["management_url"], headers=headers, json=body)
    assert answer.status_code == 204, answer.text


def test_a_replica_follows_what_another_was_told_and_outlives_it(
    deploy: Deploy, quick_experiment: Path, data: Path, tmp_path: Path
) -> None:
    deployment = deploy()
    publication = deployment.publish(quick_experiment, data, "live")
    live = publication["predictive"]["endpoints"]["live"]
    first = deployment.serve()
    _, url = deployment.serve_beside()
    jobs = JobsClient(deployment, publication)
    jobs.upload("other.csv", people(tmp_path / "other.csv", 3000, seed=9).read_bytes())
    results = jobs.ended(jobs.start("other.csv", "challenger"))["Results"]
    before = probability(url, live)

    patch(
        deployment,
        live,
        {"Resources": [{"Name": publication["predictive"]["resource"], "Location": results["output1"]}]},
    )
    told = probability(deployment.url, live)
    until_true(lambda: probability(url, live) == told, "the other replica to follow", seconds=5)
    first.kill()
    first.wait()

    assert before != told
    assert probability(url, live) == told


def probability(url: str, endpoint: dict[str, Any]) -> str:
    """Score ROW by the replica at this address."""
    answer = httpx.post(
        f"{url}{httpx.URL(endpoint['api_location']).path}/execute",
        headers={"Authorization": f"Bearer {endpoint['primary_key']}"},
        json=ROW,
        trust_env=False,
    )
    return str(answer.raise_for_status().json()["Results"]["output1"]["value"]["Values"][0][-1])


def test_serving_processes_end_when_the_server_above_them_is_killed_and_the_next_takes_over(
    deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    deployment = deploy(STUDIO_PROCESSES="2")
    live = deployment.publish(quick_experiment, data, "live")["predictive"]["endpoints"]["live"]
    server = deployment.serve(workers=1)
    before, children = probability(deployment.url, live), children_of(server.pid)

    server.kill()
    server.wait()
    until_true(lambda: not [pid for pid in children if alive(pid)], "its processes to end with it")
    deployment.serve(workers=1)

    assert len(children) == 3
    assert probability(deployment.url, live) == before


def test_a_serving_process_that_is_killed_is_replaced(deploy: Deploy, quick_experiment: Path, data: Path) -> None:
    deployment = deploy(STUDIO_PROCESSES="2")
    deployment.publish(quick_experiment, data, "live")
    server = deployment.serve(workers=0)
    first = set(children_of(server.pid))

    kill(min(first))
    until_true(lambda: len(set(children_of(server.pid)) - first) == 1, "another process")

    until_true(lambda: deployment.answers("/health/ready"), "the service to answer")
    assert server.poll() is None


def test_several_workers_share_the_jobs_and_each_runs_once(deploy: Deploy, quick_experiment: Path, data: Path) -> None:
    deployment = deploy()
    publication = deployment.publish(quick_experiment, data)
    deployment.serve(workers=1)
    alone = deployment.work()
    jobs = JobsClient(deployment, publication)
    jobs.upload("train.csv", data.read_bytes())

    started = [jobs.start("train.csv", f"shared{number}") for number in range(6)]
    ends = [jobs.ended(job_id)["StatusCode"] for job_id in started]

    assert ends == ["Finished"] * 6
    claims = Counter(
        line.split('"job_id": "')[1][:32] for line in deployment.log().splitlines() if "job.claimed" in line
    )
    assert claims == dict.fromkeys(started, 1)
    assert alone.poll() is None


def test_each_serving_process_counts_an_endpoints_calls_for_itself(
    deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    """As docs/protocol.md says: two processes take between an endpoint's maximum of 4 calls at once and twice that."""
    deployment = deploy(STUDIO_PROCESSES="2")
    publication = deployment.publish(quick_experiment, data, "live")
    deployment.serve(workers=0)

    with ExitStack() as stack:
        calls = [stack.enter_context(begun(publication)) for _ in range(16)]
        answers = Counter(call.recv(12) for call in calls)

    assert set(answers) == {b"HTTP/1.1 100", b"HTTP/1.1 503"}
    assert 4 <= answers[b"HTTP/1.1 100"] <= 8


def begun(publication: dict[str, Any]) -> socket.socket:
    """Begin a scoring call, whose body the service asks for once it has admitted it."""
    live = publication["predictive"]["endpoints"]["live"]
    address = urlsplit(f"{live['api_location']}/execute")
    head = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {live['primary_key']}\r\n"
        f"Content-Length: {len(BODY)}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"
    )
    connection = socket.create_connection((str(address.hostname), address.port or 80), timeout=30)
    connection.sendall(head.encode())
    return connection


def test_a_request_under_way_is_answered_when_the_server_stops(
    deploy: Deploy, quick_experiment: Path, data: Path
) -> None:
    deployment = deploy()
    publication = deployment.publish(quick_experiment, data, "live")
    server = deployment.serve(workers=0)

    with begun(publication) as connection:
        assert b"100 Continue" in connection.recv(1000)  # the service has begun to read the body
        server.terminate()
        connection.sendall(BODY)
        answer = connection.recv(1000)

    assert answer.startswith(b"HTTP/1.1 200")
    assert server.wait(20) in (0, -15)
