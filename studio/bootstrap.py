"""Settings into collaborators: the only place where clients, stores and use cases are put together."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

from studio.batches import Batches
from studio.blob_access import BlobAccess
from studio.connection import StorageAccount
from studio.endpoints import Endpoints
from studio.experiments import Experiments
from studio.keys import Vault
from studio.registry import Registry
from studio.settings import Settings
from studio.store.account import OwnStorage
from studio.store.artifacts import Artifacts
from studio.store.catalog import CatalogStore
from studio.store.jobs import JobStore
from studio.store.queue import JobQueue
from studio.worker import Bench, Worker

_MAX_THREADS = 2  # one fit at a time: two fits with two threads each on two cores are up to ten times slower


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


def assemble(settings: Settings) -> Service:
    """Put the service together; opens no connection."""
    storage = OwnStorage(settings.storage)
    vault = Vault(settings.secret)
    catalog = CatalogStore(storage.catalog, vault, settings.workspace)
    artifacts = Artifacts(storage.artifacts)
    blobs = BlobAccess(StorageAccount.parse(settings.storage), settings.blob_hosts)
    registry = Registry(catalog, artifacts)
    return Service(
        settings=settings,
        storage=storage,
        catalog=catalog,
        artifacts=artifacts,
        experiments=Experiments(artifacts),
        blobs=blobs,
        registry=registry,
        batches=Batches(JobStore(storage.jobs, vault), JobQueue(storage.queue), blobs),
        endpoints=Endpoints(catalog, registry, artifacts, blobs),
    )


def training_threads() -> int:
    """How many threads one training job may use on this machine."""
    return min(_MAX_THREADS, os.cpu_count() or 1)


def assemble_worker(settings: Settings, stop: threading.Event) -> tuple[OwnStorage, Worker]:
    """Put a worker together; opens no connection."""
    storage = OwnStorage(settings.storage)
    bench = Bench(settings.storage, settings.blob_hosts, training_threads())
    store = JobStore(storage.jobs, Vault(settings.secret))
    return storage, Worker(store, JobQueue(storage.queue), Artifacts(storage.artifacts), bench, stop)
