"""Jobs put before a worker by the parts that the service uses, without HTTP."""

from __future__ import annotations

from azure.storage.blob import ContainerClient
from exchanges import DATA

from shared.secret import Secret
from shared.wire import BlobReference, JobRequest
from studio.batch.batches import Batches
from studio.batch.jobs import Job
from studio.bootstrap import Service
from studio.services.keys import Vault, new_id
from studio.store.artifacts import ArtifactKind
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue


class Bench:
    """What a test of the worker touches: stored jobs, the queue, and requests that train."""

    def __init__(self, service: Service, box: ContainerClient, connection: Secret, data: bytes) -> None:
        self.store = JobStore(service.storage.jobs, Vault(service.settings.secret))
        self.queue = JobQueue(service.storage.queue)
        self.batches = Batches(self.store, self.queue, service.blobs)
        self.endpoint_id = new_id()
        text = (DATA / "income.toml").read_bytes()
        self.experiment = service.artifacts.put(ArtifactKind.EXPERIMENT, text)
        # Enough trees to be caught at work, whatever the machine.
        slow = text.replace(b'"Number of trees constructed" = 10', b'"Number of trees constructed" = 20000')
        self.slow_experiment = service.artifacts.put(ArtifactKind.EXPERIMENT, slow)
        self.box = box
        box.upload_blob("train.csv", data)
        self.request = JobRequest(
            {"input1": BlobReference(f"{box.container_name}/train.csv", connection=connection)},
            {
                "output1": BlobReference(f"{box.container_name}/model.ilearner", connection=connection),
                "output2": BlobReference(f"{box.container_name}/metrics.csv", connection=connection),
            },
        )

    def started(self, *, slow: bool = False) -> str:
        """Submit and start a job."""
        job_id = self.submitted(slow=slow)
        self.batches.start(self.endpoint_id, job_id)
        return job_id

    def submitted(self, *, slow: bool = False) -> str:
        experiment = self.slow_experiment if slow else self.experiment
        return self.batches.submit(self.endpoint_id, experiment, self.request).id

    def job(self, job_id: str) -> Job:
        job = self.store.get(self.endpoint_id, job_id)
        assert job is not None
        return job

    def outputs(self) -> set[str]:
        return {str(blob.name) for blob in self.box.list_blobs()} - {"train.csv"}
