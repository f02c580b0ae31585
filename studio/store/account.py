"""Clients for the service's own storage account, and what has to exist in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient
from azure.storage.blob import ContainerClient
from azure.storage.blob import ExponentialRetry as BlobRetry
from azure.storage.queue import ExponentialRetry as QueueRetry
from azure.storage.queue import QueueClient

from shared.secret import Secret
from shared.storage_account import blob_service, credential_of, fields_of, is_keyless, table_service

CATALOG_TABLE = "studiocatalog"
JOBS_TABLE = "studiojobs"
JOB_QUEUE = "studio-jobs"
ARTIFACT_CONTAINER = "studio-artifacts"
DEFAULT_OUTPUT_CONTAINER = "experimentoutput"

# A request must fail, and be answered, well before the caller's own patience ends.
_PATIENCE: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 30}
# The storage libraries' own pause before the first retry is 15 seconds.
_BRIEF: dict[str, Any] = {"initial_backoff": 0.3, "increment_base": 2, "random_jitter_range": 0.2, "retry_total": 2}


class OwnStorage:
    """The account behind STUDIO_STORAGE; its clients may be shared by threads."""

    def __init__(self, connection: Secret) -> None:
        tables = table_service(connection, **_PATIENCE)
        self.catalog: TableClient = tables.get_table_client(CATALOG_TABLE)
        self.jobs: TableClient = tables.get_table_client(JOBS_TABLE)
        queue_retries, blob_retries = QueueRetry(**_BRIEF), BlobRetry(**_BRIEF)
        self.queue = _queue(connection, **_PATIENCE, retry_policy=queue_retries)
        blobs = blob_service(connection, **_PATIENCE, retry_policy=blob_retries)
        self.artifacts: ContainerClient = blobs.get_container_client(ARTIFACT_CONTAINER)
        self.default_outputs: ContainerClient = blobs.get_container_client(DEFAULT_OUTPUT_CONTAINER)

    def prepare(self) -> None:
        """Create tables, containers and the queue where they are missing; may be repeated."""
        _ensure(self.catalog.create_table)
        _ensure(self.jobs.create_table)
        _ensure(self.queue.create_queue)
        _ensure(self.artifacts.create_container)
        _ensure(self.default_outputs.create_container)


def _queue(connection: Secret, **options: Any) -> QueueClient:
    if not is_keyless(connection):
        return QueueClient.from_connection_string(connection.reveal(), JOB_QUEUE, **options)
    address = fields_of(connection)["queueendpoint"]
    return QueueClient(address, JOB_QUEUE, credential=credential_of(connection), **options)


def _ensure(create: Callable[[], object]) -> None:
    try:
        create()
    except ResourceExistsError:
        return
