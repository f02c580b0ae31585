"""Clients for the service's own storage account, and what has to exist in it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient

from shared.secret import Secret
from shared.storage_account import blob_service, credential_of, fields_of, is_keyless, table_service
from studio.blobs.connection import StorageAccount
from studio.store.blob_reading import BlobReader

if TYPE_CHECKING:  # scoring needs tables alone: the other two libraries are imported at first use
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient

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
        self._connection = connection
        tables = table_service(connection, **_PATIENCE)
        self.catalog: TableClient = tables.get_table_client(CATALOG_TABLE)
        self.jobs: TableClient = tables.get_table_client(JOBS_TABLE)

    @cached_property
    def queue(self) -> QueueClient:
        """The queue of jobs that wait for a worker."""
        from azure.storage.queue import ExponentialRetry, QueueClient

        options: dict[str, Any] = {**_PATIENCE, "retry_policy": ExponentialRetry(**_BRIEF)}
        if not is_keyless(self._connection):
            return QueueClient.from_connection_string(self._connection.reveal(), JOB_QUEUE, **options)
        address = fields_of(self._connection)["queueendpoint"]
        return QueueClient(address, JOB_QUEUE, credential=credential_of(self._connection), **options)

    @cached_property
    def artifacts(self) -> ContainerClient:
        """The container of experiments and models."""
        return self._blobs.get_container_client(ARTIFACT_CONTAINER)

    @cached_property
    def default_outputs(self) -> ContainerClient:
        """The container of outputs that no caller gave a place."""
        return self._blobs.get_container_client(DEFAULT_OUTPUT_CONTAINER)

    @cached_property
    def artifact_reader(self) -> Callable[[str], bytes]:
        """
        What returns the bytes of a blob among the artifacts, by its name.

        It raises ResourceNotFoundError where there is none, and other errors of the Azure SDK.
        """
        account = StorageAccount.own(self._connection)
        if account.key is None:
            return lambda name: self.artifacts.download_blob(name).readall()
        return BlobReader(account.blob_endpoint, account.name, account.key, ARTIFACT_CONTAINER, **_PATIENCE).read

    @cached_property
    def _blobs(self) -> BlobServiceClient:
        from azure.storage.blob import ExponentialRetry

        return blob_service(self._connection, **_PATIENCE, retry_policy=ExponentialRetry(**_BRIEF))

    def prepare(self) -> None:
        """Create tables, containers and the queue where they are missing; may be repeated."""
        _ensure(self.catalog.create_table)
        _ensure(self.jobs.create_table)
        _ensure(self.queue.create_queue)
        _ensure(self.artifacts.create_container)
        _ensure(self.default_outputs.create_container)


def _ensure(create: Callable[[], object]) -> None:
    try:
        create()
    except ResourceExistsError:
        return
