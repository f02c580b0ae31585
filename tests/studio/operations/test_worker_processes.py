"""Workers in processes of their own: one that falls silent loses its job, and a cancelled fit ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from deployment import ROOT, alive, until_true
from exchanges import SECRET, TOKEN
from job_bench import Bench

from studio.batch.jobs import JobState
from studio.settings import Settings


@dataclass(frozen=True)
class WorkerProcess:
    """`python -m studio work` and what it logs."""

    process: subprocess.Popen[bytes]
    path: Path

    def log(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


Hire = Callable[[], WorkerProcess]


@pytest.fixture
def hire(settings: Settings, tmp_path: Path) -> Iterator[Hire]:
    """Start workers, each as on a machine of its own: none waits for another's place to train."""
    hired: list[WorkerProcess] = []
    environment = {
        **os.environ,
        "STUDIO_STORAGE": settings.storage.reveal(),
        "STUDIO_URL": settings.url,
        "STUDIO_SECRET": SECRET,
        "STUDIO_WORKSPACE": str(settings.workspace),
        "STUDIO_WORKSPACE_TOKEN": TOKEN,
        "STUDIO_LEASE_SECONDS": "3",
    }

    def start() -> WorkerProcess:
        path = tmp_path / f"worker-{len(hired)}.log"
        temporary = stack.enter_context(TemporaryDirectory(prefix="studio-"))  # short: sockets are made there
        with path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "studio", "work"],
                cwd=ROOT,
                env={**environment, "TMPDIR": temporary},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        hired.append(WorkerProcess(process, path))
        return hired[-1]

    with ExitStack() as stack:
        yield start
        for worker in hired:
            worker.send(signal.SIGCONT)
            worker.process.terminate()
        for worker in hired:
            worker.process.wait(20)


def running(bench: Bench, worker: WorkerProcess) -> str:
    """Start a job that trains for long, and wait until this worker's process fits."""
    job_id = bench.started(slow=True)
    until_true(lambda: "job.fetched" in worker.log(), "the data to be fetched", worker.log)
    time.sleep(1.0)  # reading three thousand rows takes a tenth of that
    assert "job.trained" not in worker.log()
    return job_id


def process_of(worker: WorkerProcess) -> int:
    return int(worker.log().partition('"process": ')[2].split("}")[0].split(",")[0])


def test_a_worker_that_falls_silent_loses_its_job_and_leaves_it_alone(bench: Bench, hire: Hire) -> None:
    silent = hire()
    job_id = running(bench, silent)
    orphan = process_of(silent)
    silent.send(signal.SIGSTOP)
    other = hire()
    until_true(lambda: bench.job(job_id).attempts == 2, "the other worker to take the job", other.log)
    assert "job.claimed" in other.log()

    silent.send(signal.SIGCONT)
    until_true(lambda: "job.abandoned" in silent.log(), "the first to see that it lost the job", silent.log)
    until_true(lambda: not alive(orphan), "its process to end")

    job = bench.job(job_id)
    assert (job.state, job.attempts) == (JobState.RUNNING, 2)
    bench.batches.cancel(bench.endpoint_id, job_id)


def test_a_job_that_is_cancelled_in_the_midst_of_its_fit_ends_at_once(
    bench: Bench, hire: Hire, record_property: Callable[[str, object], None]
) -> None:
    worker = hire()
    job_id = running(bench, worker)
    process = process_of(worker)
    assert alive(process)

    began = time.monotonic()
    bench.batches.cancel(bench.endpoint_id, job_id)
    assert bench.job(job_id).state is JobState.CANCELLED
    until_true(lambda: not alive(process), "the process to end", worker.log, seconds=10)
    took = time.monotonic() - began

    record_property("seconds from cancel to the end of the process", round(took, 2))
    print(f"from cancel to the end of the process: {took:.2f} s")  # noqa: T201 - shown with -s
    assert bench.job(job_id).state is JobState.CANCELLED
    assert "job.trained" not in worker.log()
    assert bench.outputs() == set()
