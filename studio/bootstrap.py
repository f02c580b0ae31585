"""Settings into collaborators: the only place where clients, stores and use cases are put together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.batches import Batches
from studio.blob_access import BlobAccess
from studio.connection import StorageAccount
from studio.deployment import Deployment
from studio.endpoints import Endpoints
from studio.experiments import Experiments
from studio.keys import Vault
from studio.model_cache import ModelCache
from studio.model_sweep import sweep_models
from studio.registry import Registry
from studio.settings import Settings
from studio.store.account import OwnStorage
from studio.store.artifacts import Artifacts
from studio.store.catalog import CatalogStore
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue
from studio.training_slot import THREADS_PER_FIT, TrainingSlots, n_cores
from studio.worker import Bench, Worker


@dataclass(frozen=True)
class Service:
    """Everything that answers requests."""

    settings: Settings
    storage: OwnStorage
    catalog: CatalogStore
    artifacts: Artifacts
    experiments: Experiments
    blobs: BlobAccess
    registry: Registry
    batches: Batches
    endpoints: Endpoints
    deployment: Deployment


def assemble(settings: Settings) -> Service:
    """Put the service together; opens no connection."""
    storage = OwnStorage(settings.storage)
    vault = Vault(settings.secret)
    catalog = _catalog_store(storage, vault, settings)
    artifacts = Artifacts(storage.artifacts)
    blobs = BlobAccess(StorageAccount.own(settings.storage), settings.blob_hosts)
    registry = Registry(catalog, ModelCache(artifacts, settings.operation.model_memory_bytes))
    queue = JobQueue(storage.queue, settings.operation.lease, settings.operation.doorbell.ring)
    return Service(
        settings=settings,
        storage=storage,
        catalog=catalog,
        artifacts=artifacts,
        experiments=Experiments(artifacts),
        blobs=blobs,
        registry=registry,
        batches=Batches(JobStore(storage.jobs, vault), queue, blobs),
        endpoints=Endpoints(catalog, registry, artifacts, blobs),
        deployment=Deployment(catalog, registry, artifacts, blobs),
    )


def training_threads() -> int:
    """How many threads one training job may use on this machine."""
    return min(THREADS_PER_FIT, n_cores())


def assemble_worker(settings: Settings, stop: threading.Event) -> tuple[OwnStorage, Worker]:
    """Put a worker together; opens no connection."""
    storage, operation = OwnStorage(settings.storage), settings.operation
    bench = Bench(settings.storage, settings.blob_hosts, training_threads(), operation.job_limits, operation.lease)
    vault, artifacts = Vault(settings.secret), Artifacts(storage.artifacts)
    store, catalog = JobStore(storage.jobs, vault), _catalog_store(storage, vault, settings)

    def sweep() -> int:
        return sweep_models(catalog, artifacts, datetime.now(UTC))

    queue = JobQueue(storage.queue, operation.lease)
    bell = operation.doorbell if operation.doorbell.can_ring_here else None
    return storage, Worker(store, queue, artifacts, bench, stop, slots=TrainingSlots(), bell=bell, chore=sweep)


def _catalog_store(storage: OwnStorage, vault: Vault, settings: Settings) -> CatalogStore:
    return CatalogStore(storage.catalog, vault, settings.workspace, settings.operation.models_kept)
