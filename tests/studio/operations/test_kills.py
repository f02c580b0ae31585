"""kill -9 of each process while jobs are under way: no accepted job is lost, each ends once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from deployment import Deployment, JobsClient, children_of, kill, until_true

Started = tuple[Deployment, JobsClient, "subprocess.Popen[bytes]"]


def worker_of(server: subprocess.Popen[bytes]) -> int:
    """Return the process id of the worker that `serve` started."""
    return next(pid for pid, command in children_of(server.pid).items() if "studio work" in command)


def trainer_of(worker: int) -> int | None:
    """Return the process that trains, a child of the worker's fork server."""
    servers = [pid for pid, command in children_of(worker).items() if "forkserver" in command]
    trainers = [pid for server in servers for pid in children_of(server)]
    return trainers[0] if trainers else None


def running(jobs: JobsClient, output: str, server: subprocess.Popen[bytes]) -> tuple[str, int, int]:
    """Start a job and return its id, the worker's process and the one that trains it."""
    job_id = jobs.start("train.csv", output)
    until_true(lambda: jobs.state(job_id) == "Running", "the job to run")
    worker = worker_of(server)
    until_true(lambda: trainer_of(worker), "the training process")
    trainer = trainer_of(worker)
    assert trainer is not None
    return job_id, worker, trainer


def ends_of(job_id: str, log: str) -> list[str]:
    return [line for line in log.splitlines() if "job.ended" in line and job_id in line]


def test_a_job_outlives_the_kill_of_its_worker(started: Started) -> None:
    deployment, jobs, server = started
    job_id, worker, trainer = running(jobs, "a", server)

    kill(worker)
    status = jobs.ended(job_id)

    assert status["StatusCode"] == "Finished"
    assert len(ends_of(job_id, deployment.log())) == 1
    assert worker_of(server) != worker
    until_true(lambda: not alive(trainer), "the orphaned training process to end")
    assert jobs.blob("a.ilearner")


def test_a_job_whose_worker_is_killed_twice_fails_with_details(started: Started) -> None:
    _, jobs, server = started
    job_id, worker, _ = running(jobs, "b", server)

    kill(worker)
    until_true(lambda: trainer_of_any(server) not in (None, worker), "the second attempt")
    kill(worker_of(server))
    status = jobs.ended(job_id)

    assert status["StatusCode"] == "Failed"
    assert "the worker stopped unexpectedly in 2 attempts" in status["Details"]


def test_a_job_outlives_the_kill_of_its_process(started: Started) -> None:
    deployment, jobs, server = started
    job_id, worker, trainer = running(jobs, "c", server)

    kill(trainer)
    status = jobs.ended(job_id)

    assert status["StatusCode"] == "Finished"
    assert worker_of(server) == worker
    assert "job.given_back" in deployment.log()


def test_a_job_whose_process_is_killed_twice_fails(started: Started) -> None:
    _, jobs, server = started
    job_id, worker, first = running(jobs, "d", server)

    kill(first)
    until_true(lambda: trainer_of(worker) not in (None, first), "the second attempt")
    kill(int(trainer_of(worker) or 0))
    status = jobs.ended(job_id)

    assert status["StatusCode"] == "Failed"
    assert "SIGKILL" in status["Details"]


def test_jobs_and_endpoints_outlive_the_kill_of_the_server(started: Started) -> None:
    deployment, jobs, server = started
    job_ids = [jobs.start("train.csv", f"e{number}") for number in range(3)]
    until_true(lambda: jobs.state(job_ids[0]) == "Running", "the first job to run")

    kill(server.pid)
    server.wait()
    deployment.serve()
    states = [jobs.ended(job_id)["StatusCode"] for job_id in job_ids]

    assert states == ["Finished"] * 3
    models = {jobs.blob(f"e{number}.ilearner") for number in range(3)}
    assert len(models) == 1  # whoever trained it, and however often


def test_a_server_that_is_asked_to_stop_has_its_job_done_by_the_next(started: Started) -> None:
    deployment, jobs, server = started
    job_id, _, trainer = running(jobs, "f", server)

    server.terminate()
    code = server.wait(30)
    deployment.serve()
    status = jobs.ended(job_id)

    assert code in (0, -15)
    assert not alive(trainer)
    assert status["StatusCode"] == "Finished"


def test_a_cancelled_job_has_its_process_ended_within_two_seconds(started: Started) -> None:
    _, jobs, server = started
    job_id, _, trainer = running(jobs, "g", server)

    jobs.cancel(job_id)

    until_true(lambda: not alive(trainer), "the training process to end", seconds=2)
    assert jobs.state(job_id) == "Cancelled"


@pytest.fixture(autouse=True)
def _no_job_ends_twice(started: Started) -> Iterator[None]:
    yield
    log = started[0].log()
    ended = [line.split('"job_id": "')[1][:32] for line in log.splitlines() if "job.ended" in line]
    assert len(ended) == len(set(ended)), "a job ended twice"


def alive(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return bool(done.stdout.strip()) and not done.stdout.strip().startswith("Z")


def trainer_of_any(server: subprocess.Popen[bytes]) -> int | None:
    workers = [pid for pid, command in children_of(server.pid).items() if "studio work" in command]
    return trainer_of(workers[0]) if workers else None
