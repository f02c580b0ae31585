"""Clients for the service's own storage account, and what has to exist in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from shared.secret import Secret
from shared.storage_account import blob_service, credential_of, fields_of, is_keyless, table_service
from studio.blobs.connection import StorageAccount
from studio.store.signed_reading import SignedReader
from studio.store.table_rows import LibraryRows, SignedRows, TableRows

if TYPE_CHECKING:  # scoring reads without the libraries where it can: they are imported at first use
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient

CATALOG_TABLE = "studiocatalog"
JOBS_TABLE = "studiojobs"
JOB_QUEUE = "studio-jobs"
ARTIFACT_CONTAINER = "studio-artifacts"
DEFAULT_OUTPUT_CONTAINER = "experimentoutput"

# A request must fail, and be answered, well before the caller's own patience ends.
_PATIENCE: dict[str, Any] = {"retry_total": 2, "connection_timeout": 5, "read_timeout": 30}
_READ_TIMEOUT_S = 10.0
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
# The storage libraries' own pause before the first retry is 15 seconds.
_BRIEF: dict[str, Any] = {"initial_backoff": 0.3, "increment_base": 2, "random_jitter_range": 0.2, "retry_total": 2}


class OwnStorage:
    """The account behind STUDIO_STORAGE; its clients may be shared by threads."""

    def __init__(self, connection: Secret) -> None:
        self._connection = connection
        self._account = StorageAccount.own(connection)

    @cached_property
    def catalog(self) -> TableClient:
        """The table of web services and endpoints."""
        return self._tables.get_table_client(CATALOG_TABLE)

    @cached_property
    def jobs(self) -> TableClient:
        """The table of jobs."""
        return self._tables.get_table_client(JOBS_TABLE)

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
    def catalog_rows(self) -> TableRows:
        """What reads the table of web services and endpoints."""
        reader = self._signed_reader(self._account.table_endpoint)
        return LibraryRows(self.catalog) if reader is None else SignedRows(reader, CATALOG_TABLE)

    @cached_property
    def artifact_reader(self) -> Callable[[str], bytes | None]:
        """What returns the bytes of a blob among the artifacts by its name; None when there is none."""
        reader = self._signed_reader(self._account.blob_endpoint)
        return self._read_artifact if reader is None else partial(_read_signed, reader)

    def _signed_reader(self, endpoint: str) -> SignedReader | None:
        account = self._account
        if account.key is None or any(os.environ.get(name) for name in _PROXIES):  # the libraries know how
            return None
        return SignedReader(endpoint, account.name, account.key, _READ_TIMEOUT_S)

    def _read_artifact(self, name: str) -> bytes | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self.artifacts.download_blob(name).readall()
        except ResourceNotFoundError:
            return None

    @cached_property
    def _tables(self) -> TableServiceClient:
        return table_service(self._connection, **_PATIENCE)

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


def _read_signed(reader: SignedReader, name: str) -> bytes | None:
    answer = reader.blob(f"{ARTIFACT_CONTAINER}/{name}")
    return None if answer.status == 404 else answer.body


def _ensure(create: Callable[[], object]) -> None:
    from azure.core.exceptions import ResourceExistsError

    try:
        create()
    except ResourceExistsError:
        return
