"""
Our service as it really runs: Azurite, `python -m studio publish` and `serve`, used over the classic protocol.

Authentication, schema check, throttling and logging are on, as always; endpoints get the protocol's highest number of
concurrent calls, because the load has more connections than the default admits.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import requests
from azure.storage.blob import BlobServiceClient

from benchmarks.errors import BenchError
from benchmarks.places import BENCH, EXPERIMENT, ROOT
from benchmarks.server import Target, free_port
from local.azurite import Azurite
from local.programs import studio_settings, surroundings
from local.publication import Publication
from local.state import StateFolder
from shared.secret import Secret
from shared.wire import BlobReference, Endpoint, JobReport, JobRequest, JobStatus, Resource, resource_update

ENDPOINT = "live"

_MAX_CALLS = 200
_CONTAINER = "bench"
_PUBLISH_S = 120
_ANSWER_S = 60.0
_BLOCK_BYTES = 8 * 2**20
_LOOK_EVERY_S = 0.1


class Service:
    """
    A storage account and what is published in it; a context manager.

    Inside it, `target` says how to serve; the other methods speak to the server that was started from it.
    """

    def __init__(self, data: Path) -> None:
        """
        Args:
            data: The file whose model is published.
        """
        self._data = data
        self._session = requests.Session()

    def __enter__(self) -> Service:
        self._folder = tempfile.TemporaryDirectory(prefix="service-", dir=BENCH)
        self._state = StateFolder(Path(self._folder.name))
        self._state.open()
        self._azurite = Azurite(self._state.storage, log=self._state.logs / "azurite.log").start()
        try:
            self.port = free_port()
            keys = self._state.keys()
            self._token = Secret(keys.workspace_token)
            self.storage = Secret(self._azurite.connection_string)
            self._settings = studio_settings(self.storage, f"http://127.0.0.1:{self.port}", keys)
            self.publication = self._publish()
            with BlobServiceClient.from_connection_string(self.storage.reveal()) as blobs:
                blobs.create_container(_CONTAINER)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def target(self, bodies: Mapping[int, Path], *, n_workers: int = 0) -> Target:
        """Return how the service is started, and how its endpoint is asked."""
        published = self.publication.endpoints[ENDPOINT]
        path = published.api_location.partition(str(self.port))[2]
        command = (sys.executable, "-m", "studio", "serve", "--port", str(self.port), "--workers", str(n_workers))
        return Target(
            name="relearn",
            command=command,
            port=self.port,
            path=f"{path}/execute?api-version=2.0&details=true",
            bodies=bodies,
            environment=self._settings,
            headers={"Authorization": f"Bearer {published.key.reveal()}"},
            ready_path="/health/ready" if n_workers else None,
        )

    def admit_many_calls(self) -> None:
        """Let the endpoint take as many calls at once as the protocol allows."""
        self._manage("PATCH", ENDPOINT, {"MaxConcurrentCalls": _MAX_CALLS})

    def patch_model(self, model: BlobReference, endpoint: str = ENDPOINT) -> None:
        """Give an endpoint another model."""
        self._manage("PATCH", endpoint, resource_update([Resource(self.publication.resource, model)]))

    def upload(self, source: Path, name: str) -> BlobReference:
        """Put a file where jobs and PATCHes may name it."""
        with (
            BlobServiceClient.from_connection_string(
                self.storage.reveal(), max_block_size=_BLOCK_BYTES, max_single_put_size=_BLOCK_BYTES
            ) as blobs,
            source.open("rb") as data,
        ):
            blobs.get_blob_client(_CONTAINER, name).upload_blob(data, overwrite=True)
        return self.place(name)

    def place(self, name: str) -> BlobReference:
        """Name a blob of ours."""
        return BlobReference(f"{_CONTAINER}/{name}", connection=self.storage)

    def submit(self, data: BlobReference, name: str, parameters: Mapping[str, str] | None = None) -> str:
        """Submit a training job and start it; returns its id. Its model goes to the blob `NAME.ilearner`."""
        outputs = {"output1": self.place(f"{name}.ilearner"), "output2": self.place(f"{name}.csv")}
        body = JobRequest({"input1": data}, outputs, parameters or {}).to_wire()
        job_id = str(self._jobs("POST", "", body).json())
        self._jobs("POST", f"/{job_id}/start")
        return job_id

    def wait_for(self, job_id: str, *, look_every_s: float, within_s: float) -> None:
        """
        Ask for a job until it has finished.

        Raises:
            BenchError: It ended otherwise, or not within `within_s` seconds.
        """
        until = time.monotonic() + within_s
        while (report := JobReport.from_wire(self._jobs("GET", f"/{job_id}").json())).status is not JobStatus.FINISHED:
            if report.status not in (JobStatus.NOT_STARTED, JobStatus.RUNNING) or time.monotonic() > until:
                raise BenchError(f"the training job is {report.status.value}: {report.details or 'it took too long'}")
            time.sleep(look_every_s)

    def wait_until_running(self, job_id: str, *, within_s: float) -> None:
        """
        Ask for a job until a worker has it.

        Raises:
            BenchError: It did not run within `within_s` seconds.
        """
        until = time.monotonic() + within_s
        while (status := self._status(job_id)) is not JobStatus.RUNNING:
            if time.monotonic() > until:
                raise BenchError(f"the training job is {status.value} and should be running")
            time.sleep(_LOOK_EVERY_S)

    def cancel(self, job_id: str) -> None:
        """
        End a job that is under way.

        Raises:
            BenchError: It is not under way any more.
        """
        if (status := self._status(job_id)) is not JobStatus.RUNNING:
            raise BenchError(f"the training job is {status.value} and should still be running")
        self._jobs("DELETE", f"/{job_id}")

    def download_model(self, target: Path) -> Path:
        """Fetch the model that the endpoint serves, by the token that the service gives out with its address."""
        resource = Endpoint.from_wire(self._manage("GET", ENDPOINT, None).json()).resources[0]
        answer = self._session.get(resource.location.signed_url().reveal(), timeout=_ANSWER_S)
        answer.raise_for_status()
        target.write_bytes(answer.content)
        return target

    def create_endpoint(self, name: str) -> Endpoint:
        """Create an endpoint of the predictive web service."""
        return Endpoint.from_wire(self._manage("PUT", name, {}).json())

    def _status(self, job_id: str) -> JobStatus:
        return JobReport.from_wire(self._jobs("GET", f"/{job_id}").json()).status

    def _manage(self, method: str, endpoint: str, body: object) -> requests.Response:
        url = f"{self.publication.endpoints[ENDPOINT].management_url.rpartition('/')[0]}/{endpoint}"
        return self._call(method, url, self._token, body)

    def _jobs(self, method: str, path: str, body: object = None) -> requests.Response:
        url = f"{self.publication.jobs_url}{path}?api-version=2.0"
        return self._call(method, url, self.publication.jobs_key, body)

    def _call(self, method: str, url: str, key: Secret, body: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {key.reveal()}"}
        answer = self._session.request(method, url, json=body, headers=headers, timeout=_ANSWER_S)
        if not answer.ok:
            raise BenchError(f"our service refused {method} ({answer.status_code}): {answer.text[:500]}")
        return answer

    def _publish(self) -> Publication:
        command: Sequence[str] = (
            *(sys.executable, "-m", "studio", "publish", str(EXPERIMENT)),
            *("--data", str(self._data), "--endpoint", ENDPOINT, "--json"),
        )
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=surroundings(self._settings),
            capture_output=True,
            text=True,
            timeout=_PUBLISH_S,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"the experiment could not be published:\n{done.stderr[-2000:]}")
        return Publication.parse(done.stdout)

    def _close(self) -> None:
        self._session.close()
        self._azurite.stop()
        self._state.close()
        self._folder.cleanup()
