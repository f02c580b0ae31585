"""The world of one test: storage under names of its own, and the hosts that it starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from host.world import World
from local.azurite import Azurite


@pytest.fixture(scope="module")
def shared_world(
    azurite: Azurite, blob_service: BlobServiceClient, queue_service: QueueServiceClient
) -> Iterator[World]:
    """One world for tests of a module that do not disturb each other."""
    made = World(azurite.connection_string, blob_service, queue_service)
    yield made
    made.close()


@pytest.fixture
def world(azurite: Azurite, blob_service: BlobServiceClient, queue_service: QueueServiceClient) -> Iterator[World]:
    """Everything that a test makes is under names of its own; its hosts are stopped with it."""
    made = World(azurite.connection_string, blob_service, queue_service)
    yield made
    made.close()
