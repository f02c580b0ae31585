"""Clients for storage accounts, made once for each connection string."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from functools import lru_cache

from azure.core.exceptions import ResourceExistsError
from azure.storage import blob as blobs
from azure.storage import queue as queues
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.host.errors import SettingsError

HOST_CONTAINER = "azure-webjobs-hosts"
# Listeners look again by themselves; the library's retries of up to a minute would only hide an outage.
_RETRY_PAUSE_S, _N_RETRIES = 1, 2
_CONNECT_S = 5


@lru_cache
def blob_account(connection: str) -> BlobServiceClient:
    """
    Open an account's blobs.

    Raises:
        SettingsError: Not a connection string.
    """
    try:
        return BlobServiceClient.from_connection_string(
            connection,
            retry_policy=blobs.LinearRetry(_RETRY_PAUSE_S, _N_RETRIES),
            connection_timeout=_CONNECT_S,
        )
    except ValueError as error:
        raise SettingsError(f"a storage connection string is malformed: {error}") from error


@lru_cache
def queue_account(connection: str) -> QueueServiceClient:
    """
    Open an account's queues; messages pass as they are, so that a copy is verbatim.

    Raises:
        SettingsError: Not a connection string.
    """
    try:
        return QueueServiceClient.from_connection_string(
            connection,
            retry_policy=queues.LinearRetry(_RETRY_PAUSE_S, _N_RETRIES),
            connection_timeout=_CONNECT_S,
        )
    except ValueError as error:
        raise SettingsError(f"a storage connection string is malformed: {error}") from error


def host_container(connection: str) -> ContainerClient:
    """Return the container of leases, receipts and timer states, made if it is absent."""
    container = blob_account(connection).get_container_client(HOST_CONTAINER)
    if not container.exists():
        with suppress(ResourceExistsError):  # another host may make it in between
            container.create_container()
    return container


def ensure_queue(queue: QueueClient) -> QueueClient:
    """Make a queue unless it is there."""
    with suppress(ResourceExistsError):
        queue.create_queue()
    return queue


def to_queue_text(content: str | bytes, *, is_base64: bool) -> str:
    """Write a message's content as the text that the queue stores."""
    raw = content.encode() if isinstance(content, str) else content
    return base64.b64encode(raw).decode() if is_base64 else raw.decode(errors="replace")


def from_queue_text(text: str, *, is_base64: bool) -> str:
    """
    Read a stored message's content.

    Raises:
        ValueError: It is not base64.
    """
    if not is_base64:
        return text
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace")
    except binascii.Error as error:
        raise ValueError("the message is not base64; check extensions.queues.messageEncoding in host.json") from error
