"""The service as it is deployed: `python -m studio serve` over an Azurite that can be stopped and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from azure.storage.blob import ContainerClient
from doorway import Doorway

from local.azurite import Azurite

ROOT = Path(__file__).parents[3]
SECRET = "c3R1ZGlvLXRlc3RzLXN0dWRpby10ZXN0cy1zdHVkaW8="  # 32 bytes in base64
TOKEN = "token-of-the-workspace-in-the-tests"
VERSION = "?api-version=2.0"
BOX = "box"
ENDED = ("Finished", "Failed", "Cancelled")


class Storage:
    """An Azurite on disk with fixed ports, so that it comes back where it was."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._azurite = Azurite(directory).start()
        self.connection_string = self._azurite.connection_string

    @contextmanager
    def out(self) -> Iterator[None]:
        """An outage: it ends, after writing what it holds, and answers again at the same ports with the same data."""
        ports = self._azurite.ports
        self._azurite.stop()
        try:
            yield
        finally:
            self._azurite = Azurite(self._directory, ports=ports).start()

    def __enter__(self) -> Storage:
        return self

    def __exit__(self, *_: object) -> None:
        self._azurite.stop()


class Deployment:
    """
    Settings, the processes started with them, and a client.

    Args:
        folder: Takes the log of every process.
        extra: Further STUDIO_ settings.
    """

    def __init__(self, connection_string: str, folder: Path, **extra: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.connection_string = connection_string
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        # Places to train are counted in the temporary directory: whoever else trains on this machine holds no job up.
        self._temporary = tempfile.TemporaryDirectory(prefix="studio-")
        self.environment = {
            **os.environ,
            "TMPDIR": self._temporary.name,
            "STUDIO_STORAGE": connection_string,
            "STUDIO_URL": self.url,
            "STUDIO_SECRET": SECRET,
            "STUDIO_WORKSPACE": uuid.uuid4().hex,
            "STUDIO_WORKSPACE_TOKEN": TOKEN,
            **extra,
        }
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def serve(self, *, workers: int = 1, python: str = sys.executable, folder: Path = ROOT) -> subprocess.Popen[bytes]:
        """Start `serve` and wait until it is ready."""
        process = self.start_serving(workers=workers, python=python, folder=folder)
        until_true(
            lambda: process.poll() is None and self.answers("/health/ready"), "the service to be ready", self.log
        )
        return process

    def serve_beside(self) -> tuple[subprocess.Popen[bytes], str]:
        """Start another `serve` over the same account, as on another machine; returns its address too."""
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "studio", "serve", "--port", str(port), "--workers", "0"]
        process = self._started(command, ROOT)
        until_true(lambda: process.poll() is None and _is_ready(url), "the other replica to be ready", self.log)
        return process, url

    def start_serving(
        self, *, workers: int, python: str = sys.executable, folder: Path = ROOT
    ) -> subprocess.Popen[bytes]:
        """Start `serve`, ready or not."""
        command = [python, "-m", "studio", "serve", "--port", str(self.port), "--workers", str(workers)]
        self.server = self._started(command, folder)
        return self.server

    def work(self) -> subprocess.Popen[bytes]:
        """Start a worker by itself."""
        return self._started([sys.executable, "-m", "studio", "work"], ROOT)

    def publish(self, experiment: Path, data: Path, *endpoints: str) -> dict[str, Any]:
        """Publish by the command line and return what it prints."""
        options = [part for name in endpoints for part in ("--endpoint", name)]
        command = [sys.executable, "-m", "studio", "publish", str(experiment), "--data", str(data), "--json", *options]
        done = subprocess.run(  # noqa: S603
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def answers(self, path: str) -> bool:
        try:
            return self.client.get(path).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def worker(self) -> int:
        """The process id of the worker that `serve` started last."""
        return int(self.events("worker.started", "worker.restarted")[-1]["worker_pid"])

    def attempts(self, job_id: str) -> list[int]:
        """Return the process ids of those that a job was given to, in order."""
        return [int(started["process"]) for started in self.events("job.started") if started["job_id"] == job_id]

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Return the fields of each such event in the log."""
        line = re.compile(rf"(?:^| )(?:{'|'.join(map(re.escape, names))}) (\{{.*\}})$", re.M)
        return [json.loads(fields) for fields in line.findall(self.log())]

    def log(self) -> str:
        """Everything that the processes printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("process-*.log")))

    def stop(self) -> None:
        """End every process, in good order when it does that."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.client.close()
        self._temporary.cleanup()

    def __enter__(self) -> Deployment:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            print(self.log()[-8000:])  # noqa: T201 - shown with the failed test

    def _started(self, command: list[str], folder: Path) -> subprocess.Popen[bytes]:
        path = self._folder / f"process-{len(self._processes):02}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        self._processes.append(process)
        return process


Deploy = Callable[..., Deployment]


class JobsClient:
    """
    Batch execution as a caller of the training web service sees it.

    Args:
        inputs: Connection string of the account that holds the data; the service's own without it.
        way: The same, as the service is told to reach it.
    """

    def __init__(
        self, deployment: Deployment, publication: Mapping[str, Any], *, inputs: str = "", way: str = ""
    ) -> None:
        self._client = deployment.client
        training = publication["training"]
        self._url = training["jobs_url"]
        self._headers = {"Authorization": f"Bearer {training['primary_key']}"}
        self._outputs = deployment.connection_string
        self._way = way or self._outputs
        self._inputs_box = _box(inputs or self._outputs)
        self._outputs_box = _box(self._outputs)
        self._started: list[str] = []

    def upload(self, name: str, data: bytes) -> None:
        self._inputs_box.upload_blob(name, data, overwrite=True)

    def blob(self, name: str) -> bytes:
        return self._outputs_box.download_blob(name).readall()

    def start(self, data: str, output: str) -> str:
        """Submit and start a job that writes `output`.ilearner and `output`.csv; returns its id."""
        job_id = self.submit(data, output)
        self._call("POST", f"/{job_id}/start")
        self._started.append(job_id)
        return job_id

    def submit(self, data: str, output: str) -> str:
        body = {
            "Inputs": {"input1": _reference(self._way, data)},
            "Outputs": {
                "output1": _reference(self._outputs, f"{output}.ilearner"),
                "output2": _reference(self._outputs, f"{output}.csv"),
            },
            "GlobalParameters": {},
        }
        return str(self._call("POST", "", json=body).json())

    def cancel(self, job_id: str) -> None:
        self._call("DELETE", f"/{job_id}")

    def cancel_what_runs(self) -> None:
        """Leave no job of this client's to the worker."""
        for job_id in self._started:
            if self.state(job_id) not in ENDED:
                self.cancel(job_id)
        self._started.clear()

    def status(self, job_id: str) -> dict[str, Any]:
        return dict(self._call("GET", f"/{job_id}").json())

    def state(self, job_id: str) -> str:
        return str(self.status(job_id)["StatusCode"])

    def ended(self, job_id: str, seconds: float = 60, pause: float = 0.1) -> dict[str, Any]:
        """Wait for the end of a job and return its status; an outage in between is waited for too."""
        until = time.monotonic() + seconds
        while True:
            try:
                status = self.status(job_id)
                if status["StatusCode"] in ENDED:
                    return status
            except (httpx.HTTPStatusError, httpx.TransportError):
                status = {}
            assert time.monotonic() < until, f"job {job_id} has not ended after {seconds} s: {status}"
            time.sleep(pause)

    def _call(self, method: str, path: str, **sent: Any) -> httpx.Response:
        answer = self._client.request(method, f"{self._url}{path}{VERSION}", headers=self._headers, **sent)
        return answer.raise_for_status()


@dataclass(frozen=True)
class Serving:
    """A deployment with a small experiment published, a client of its jobs, and the doorway to their data."""

    deployment: Deployment
    publication: dict[str, Any]
    jobs: JobsClient
    door: Doorway


def _box(connection: str) -> ContainerClient:
    box = ContainerClient.from_connection_string(connection, BOX)
    if not box.exists():
        box.create_container()
    return box


def _reference(connection: str, name: str) -> dict[str, str]:
    return {"ConnectionString": connection, "RelativeLocation": f"{BOX}/{name}"}


def until_true(
    condition: Callable[[], object], what: str, log: Callable[[], str] = lambda: "", seconds: float = 40
) -> None:
    """Poll until `condition` holds, or fail with what was waited for."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"still waiting after {seconds} s for {what}\n{log()[-4000:]}"
        time.sleep(0.05)


def kill(pid: int) -> None:
    """End a process as an operator's `kill -9` does."""
    os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return bool(done.stdout.strip()) and not done.stdout.strip().startswith("Z")


def children_of(pid: int) -> dict[int, str]:
    """Return the command lines of a process's direct children, by process id."""
    done = subprocess.run(["ps", "-axo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)  # noqa: S607
    rows = (line.split(None, 2) for line in done.stdout.splitlines())
    return {int(child): command for child, parent, command in rows if int(parent) == pid}


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
