"""
Scans the containers of blob-triggered functions and hands each new version of a blob on, once.

For `source="EventGrid"` the scan stands in for Event Grid, which no emulator offers: it sees what a subscription would
deliver that is filtered by the literal beginning of the path.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from azure.core.exceptions import AzureError
from azure.storage.blob import ContainerClient

from local.host.functions import BlobTrigger, FunctionDefinition
from local.host.listeners.blob_queue import BlobMessage, BlobQueue
from local.host.listeners.blob_receipts import Receipts
from local.host.listeners.blob_scan import ContainerScan, FoundBlob
from local.host.listeners.lease import SingletonLock
from local.host.storage import blob_account

_LOG = logging.getLogger(__name__)
_BLOBS_PER_SWEEP = 10_000  # shared over all containers

Registration = tuple[FunctionDefinition, BlobTrigger]
_Seen = tuple[str, str, str]  # function, blob, ETag


@dataclass
class _Watched:
    """One container, with who waits for it and what could not be handed on yet."""

    scan: ContainerScan
    registrations: list[Registration] = field(default_factory=list)
    unsettled: list[FoundBlob] = field(default_factory=list)
    settled: set[_Seen] = field(default_factory=set)


class BlobScanner:
    """The scan of one host, on a thread of its own; one host at a time scans an account."""

    def __init__(
        self,
        registrations: Sequence[Registration],
        queue: BlobQueue,
        container: ContainerClient,
        host_id: str,
        lock: SingletonLock,
        *,
        interval_s: float,
    ) -> None:
        self._registrations = registrations
        self._queue = queue
        self._container = container
        self._host_id = host_id
        self._receipts = Receipts(container, host_id)
        self._lock = lock
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="blob-scan", daemon=True)

    def start(self) -> None:
        """Begin to scan, as soon as no other host does."""
        self._thread.start()

    def stop(self) -> None:
        """Look at no further page."""
        self._stopping.set()

    def drain(self) -> None:
        """Wait until the page that is being handed on has been."""
        self._thread.join()

    def _run(self) -> None:
        if not self._lock.acquire(self._stopping):
            return
        watched: list[_Watched] = []
        try:
            while not self._stopping.is_set():
                watched = self._sweep_all(watched)
                self._stopping.wait(self._interval_s)
        finally:
            self._lock.release()

    def _sweep_all(self, watched: list[_Watched]) -> list[_Watched]:
        try:
            watched = watched or self._watched()
            for container in watched:
                self._sweep(container, _BLOBS_PER_SWEEP // len(watched))
        except AzureError as error:
            _LOG.warning("The blob scan failed and is repeated: %s", error.message)
        return watched

    def _watched(self) -> list[_Watched]:
        containers: dict[tuple[str, str], _Watched] = {}
        for function, trigger in self._registrations:
            key = (trigger.connection, trigger.path.container)
            if key not in containers:
                containers[key] = _Watched(self._scan(trigger))
            containers[key].registrations.append((function, trigger))
        return list(containers.values())

    def _scan(self, trigger: BlobTrigger) -> ContainerScan:
        account = blob_account(trigger.connection)
        progress = f"blobscaninfo/{self._host_id}/{account.account_name}/{trigger.path.container}/scanInfo"
        return ContainerScan(
            account.get_container_client(trigger.path.container), self._container.get_blob_client(progress)
        )

    def _sweep(self, watched: _Watched, page_size: int) -> None:
        found = [*watched.unsettled, *watched.scan.next_page(page_size)]
        watched.unsettled = [blob for blob in dict.fromkeys(found) if not self._hand_on(blob, watched)]
        # What is listed again is known by its receipt, too; remembering it spares the requests.
        watched.settled &= {(f.full_name, blob.name, blob.etag) for blob in found for f, _ in watched.registrations}
        watched.scan.save(watched.unsettled)

    def _hand_on(self, blob: FoundBlob, watched: _Watched) -> bool:
        """Hand a blob on to every function that waits for it; answer whether all of them have it."""
        results = [self._settle(blob, function, trigger, watched) for function, trigger in watched.registrations]
        return all(results)

    def _settle(self, blob: FoundBlob, function: FunctionDefinition, trigger: BlobTrigger, watched: _Watched) -> bool:
        seen = (function.full_name, blob.name, blob.etag)
        if seen in watched.settled or not _concerns(blob, trigger):
            return True
        message = BlobMessage(function.full_name, blob.container, blob.name, blob.etag)
        try:
            is_settled = self._receipts.settle(
                function.full_name, blob.container, blob.name, blob.etag, lambda: self._queue.send(message)
            )
        except AzureError as error:
            _LOG.warning("The blob '%s/%s' is handed on later: %s", blob.container, blob.name, error.message)
            return False
        if is_settled:
            watched.settled.add(seen)
        return is_settled


def _concerns(blob: FoundBlob, trigger: BlobTrigger) -> bool:
    if trigger.is_event_grid:
        return blob.name.startswith(trigger.path.literal_prefix)
    return trigger.path.match(blob.name) is not None
