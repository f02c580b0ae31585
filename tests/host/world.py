"""A host over Azurite under names of one test's own, and ways to look at what it did."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.host.host import FunctionsHost
from local.host.storage import host_container

APPS = Path(__file__).parent / "apps"
_DEADLINE_S = 30.0


def eventually(look: Callable[[], Any], *, what: str) -> Any:
    """Look until there is something, and return it."""
    deadline = time.monotonic() + _DEADLINE_S
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not seen within {_DEADLINE_S:g} seconds")


class World:
    """Storage under names of one test's own, and hosts that use it."""

    def __init__(self, connection: str, blobs: BlobServiceClient, queues: QueueServiceClient) -> None:
        self.namespace = f"t{uuid.uuid4().hex[:10]}"
        self.connection = connection
        self.blobs = blobs
        self.queues = queues
        self._hosts: list[FunctionsHost] = []

    @property
    def settings(self) -> dict[str, str]:
        return {
            "AzureWebJobsStorage": self.connection,
            "DATA": self.connection,
            "NS": self.namespace,
            "SCHEDULE": "0 0 0 1 1 *",
            "AzureFunctionsWebHost__hostid": self.namespace,
            "PYTHON_THREADPOOL_THREAD_COUNT": "4",
        }

    def host(self, app: str | Path, **settings: str) -> FunctionsHost:
        """Start a host; it is stopped with the test."""
        return self.host_with(app, {**self.settings, **settings})

    def host_with(self, app: str | Path, settings: dict[str, str]) -> FunctionsHost:
        """Start a host with exactly these settings."""
        path = APPS / app if isinstance(app, str) else app
        host = FunctionsHost(path, settings, blob_scan_interval_s=0.1)
        self._hosts.append(host)
        return host.start()

    @staticmethod
    def run_by_hand(host: FunctionsHost, function: str, text: str = "") -> None:
        """Ask a host to run a function."""
        answer = httpx.post(
            f"{host.url}/admin/functions/{function}",
            headers={"x-functions-key": host.master_key},
            json={"input": text},
        )
        assert answer.status_code == 202

    def close(self) -> None:
        for host in self._hosts:
            host.stop()

    def send(self, queue: str, text: str) -> None:
        """Put a message on a queue, as an ordinary client of the platform does."""
        client = self.queues.get_queue_client(f"{self.namespace}-{queue}")
        with suppress(ResourceExistsError):
            client.create_queue()
        client.send_message(base64.b64encode(text.encode()).decode())

    def send_raw(self, queue: str, text: str) -> None:
        """Put a message on a queue of any name that is there."""
        self.queues.get_queue_client(queue).send_message(base64.b64encode(text.encode()).decode())

    def peek(self, queue: str, *, is_own: bool = True) -> list[str]:
        """Return the visible messages of a queue, without taking them."""
        client = self.queues.get_queue_client(f"{self.namespace}-{queue}" if is_own else queue)
        try:
            return [base64.b64decode(message.content).decode() for message in client.peek_messages(max_messages=32)]
        except ResourceNotFoundError:
            return []

    def await_messages(self, queue: str, n: int = 1) -> list[str]:
        """Wait until a queue holds at least `n` messages."""
        return eventually(lambda: len(found := self.peek(queue)) >= n and found, what=f"{n} message(s) in '{queue}'")

    def exists(self, queue: QueueClient) -> bool:
        """Whether somebody has made a queue."""
        return queue.queue_name in {found.name for found in self.queues.list_queues()}

    def n_waiting(self, queue: str, *, is_own: bool = True) -> int:
        """Count a queue's messages, hidden ones too."""
        name = f"{self.namespace}-{queue}" if is_own else queue
        properties = self.queues.get_queue_client(name).get_queue_properties()
        return properties.approximate_message_count or 0

    def upload(self, container: str, name: str, content: bytes) -> str:
        """Write a blob, with its container if need be, and return the blob's ETag."""
        client = self.blobs.get_container_client(f"{self.namespace}-{container}")
        with suppress(ResourceExistsError):
            client.create_container()
        return str(client.get_blob_client(name).upload_blob(content, overwrite=True)["etag"])

    def host_container(self) -> ContainerClient:
        """The host's own container, made if need be."""
        return host_container(self.connection)

    def host_blobs(self, prefix: str) -> list[str]:
        """Names of the host's own blobs below a prefix."""
        container = self.blobs.get_container_client("azure-webjobs-hosts")
        return list(container.list_blob_names(name_starts_with=prefix))
