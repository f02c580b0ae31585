"""kill -9 of each process while jobs are under way: no accepted job is lost, each ends once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from deployment import Serving, alive, kill, until_true


def caught(serving: Serving, output: str) -> str:
    """Start a job, have its process wait for the data, and return its id."""
    serving.door.shut()
    job_id = serving.jobs.start("train.csv", output)
    until_attempt(serving, job_id, 1)
    assert serving.jobs.state(job_id) == "Running"
    return job_id


def until_attempt(serving: Serving, job_id: str, number: int) -> None:
    """Wait until a job's process, the `number`th it was given to, is there."""
    deployment = serving.deployment
    until_true(lambda: len(deployment.attempts(job_id)) == number, f"attempt {number}", deployment.log)


def let_end(serving: Serving, job_id: str) -> str:
    """Let the job have its data, and return the state that it ends in."""
    serving.door.open()
    return str(serving.jobs.ended(job_id)["StatusCode"])


def test_a_job_outlives_the_kill_of_its_worker(serving: Serving) -> None:
    deployment, job_id = serving.deployment, caught(serving, "a")
    worker, [orphan] = deployment.worker, deployment.attempts(job_id)

    kill(worker)
    until_true(lambda: not alive(orphan), "the orphaned process to end")

    assert let_end(serving, job_id) == "Finished"
    assert deployment.worker != worker
    assert len(deployment.attempts(job_id)) == 2
    assert serving.jobs.blob("a.ilearner")


def test_a_job_whose_worker_is_killed_twice_fails_with_details(serving: Serving) -> None:
    deployment, job_id = serving.deployment, caught(serving, "b")

    kill(deployment.worker)
    until_attempt(serving, job_id, 2)
    kill(deployment.worker)
    status = serving.jobs.ended(job_id)

    assert status["StatusCode"] == "Failed"
    assert "the worker stopped unexpectedly in 2 attempts" in status["Details"]


def test_a_job_outlives_the_kill_of_its_process(serving: Serving) -> None:
    deployment, job_id = serving.deployment, caught(serving, "c")
    worker = deployment.worker

    kill(deployment.attempts(job_id)[0])

    assert let_end(serving, job_id) == "Finished"
    assert deployment.worker == worker
    assert [given["job_id"] for given in deployment.events("job.given_back")].count(job_id) == 1


def test_a_job_whose_process_is_killed_twice_fails(serving: Serving) -> None:
    deployment, job_id = serving.deployment, caught(serving, "d")

    kill(deployment.attempts(job_id)[0])
    until_attempt(serving, job_id, 2)
    kill(deployment.attempts(job_id)[1])
    status = serving.jobs.ended(job_id)

    assert status["StatusCode"] == "Failed"
    assert "SIGKILL" in status["Details"]


def test_jobs_and_endpoints_outlive_the_kill_of_the_server(serving: Serving) -> None:
    deployment, jobs = serving.deployment, serving.jobs
    job_ids = [caught(serving, "e0"), *(jobs.start("train.csv", f"e{number}") for number in (1, 2))]

    kill(deployment.server.pid)
    deployment.server.wait()
    deployment.serve()
    ends = [let_end(serving, job_id) for job_id in job_ids]

    assert ends == ["Finished"] * 3
    models = {jobs.blob(f"e{number}.ilearner") for number in range(3)}
    assert len(models) == 1  # whoever trained it, and however often


def test_a_server_that_is_asked_to_stop_has_its_job_done_by_the_next(serving: Serving) -> None:
    deployment, job_id = serving.deployment, caught(serving, "f")
    [process] = deployment.attempts(job_id)

    deployment.server.terminate()
    code = deployment.server.wait(30)
    is_left = alive(process)
    deployment.serve()

    assert code in (0, -15)
    assert not is_left
    assert let_end(serving, job_id) == "Finished"
    claims = [claim["attempt"] for claim in deployment.events("job.claimed") if claim["job_id"] == job_id]
    assert claims == [1, 1]  # a job that is given back counts as not tried


def test_a_cancelled_job_has_its_process_ended_within_two_seconds(serving: Serving) -> None:
    job_id = caught(serving, "g")
    [process] = serving.deployment.attempts(job_id)

    serving.jobs.cancel(job_id)

    until_true(lambda: not alive(process), "the process to end", seconds=2)
    assert serving.jobs.state(job_id) == "Cancelled"


@pytest.fixture(autouse=True)
def _no_job_ends_twice(serving: Serving) -> Iterator[None]:
    yield
    ended = [end["job_id"] for end in serving.deployment.events("job.ended")]
    assert len(ended) == len(set(ended)), "a job ended twice"
