"""Fixtures for tests that need storage: Azurite, one for each test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """A running Azurite with everything in memory; `.connection_string` opens it."""
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def blob_service(azurite: Azurite) -> Iterator[BlobServiceClient]:
    """Azurite's blobs."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as client:
        yield client


@pytest.fixture(scope="session")
def queue_service(azurite: Azurite) -> Iterator[QueueServiceClient]:
    """Azurite's queues; messages pass as they are."""
    with QueueServiceClient.from_connection_string(azurite.connection_string) as client:
        yield client
