"""Settings into collaborators: the only place where clients, stores and use cases are put together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.batch.batches import Batches
from studio.batch.job_sweep import sweep_jobs
from studio.batch.training_slot import THREADS_PER_FIT, TrainingSlots, n_cores
from studio.batch.worker import Bench, Worker
from studio.blobs.blob_access import BlobAccess
from studio.blobs.connection import StorageAccount
from studio.core import Core, assemble_core
from studio.publications.deployment import Deployment
from studio.publications.experiments import Experiments
from studio.services.endpoints import Endpoints
from studio.services.keys import Vault
from studio.serving.model_sweep import sweep_models
from studio.settings import Settings
from studio.store.account import OwnStorage
from studio.store.artifacts import Artifacts
from studio.store.catalog import CatalogStore
from studio.store.catalog_reading import CatalogReader
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue


@dataclass(frozen=True)
class Service(Core):
    """Everything that answers requests."""

    store: CatalogStore
    experiments: Experiments
    blobs: BlobAccess
    batches: Batches
    endpoints: Endpoints
    deployment: Deployment


def assemble(settings: Settings) -> Service:
    """Put the service together; opens no connection."""
    return complete(assemble_core(settings))


def complete(core: Core) -> Service:
    """Put the rest of the service around what scores."""
    settings, storage, artifacts = core.settings, core.storage, core.artifacts
    blobs = BlobAccess(StorageAccount.own(settings.storage), settings.blob_hosts)
    queue = JobQueue(storage.queue, settings.operation.lease, settings.operation.doorbell.ring)
    store = CatalogStore(core.catalog, storage.catalog, core.vault, settings.operation.models_kept)
    return Service(
        **vars(core),
        store=store,
        experiments=Experiments(artifacts),
        blobs=blobs,
        batches=Batches(JobStore(storage.jobs, core.vault), queue, blobs),
        endpoints=Endpoints(store, core.registry, artifacts, blobs),
        deployment=Deployment(store, core.registry, artifacts, blobs),
    )


def training_threads() -> int:
    """How many threads one training job may use on this machine."""
    return min(THREADS_PER_FIT, n_cores())


def assemble_worker(settings: Settings, stop: threading.Event) -> tuple[OwnStorage, Worker]:
    """Put a worker together; opens no connection."""
    storage, operation = OwnStorage(settings.storage), settings.operation
    limits, lease = operation.job_limits, operation.lease
    threads, as_json = training_threads(), operation.logs_json
    bench = Bench(settings.storage, settings.blob_hosts, threads, limits, lease, as_json)
    vault, artifacts = Vault(settings.secret), Artifacts(storage)
    store, catalog = JobStore(storage.jobs, vault), CatalogReader(storage.catalog_rows, vault, settings.workspace)

    def sweep() -> None:
        sweep_models(catalog, artifacts, datetime.now(UTC))
        sweep_jobs(store, operation.jobs_kept_for, datetime.now(UTC))

    queue = JobQueue(storage.queue, operation.lease)
    bell = operation.doorbell if operation.doorbell.can_ring_here else None
    worker = Worker(
        store, queue, artifacts, bench, stop, slots=TrainingSlots(), bell=bell, chore=sweep, prepare=storage.prepare
    )
    return storage, worker
