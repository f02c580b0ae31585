"""A lock over all hosts of one storage account: a blob lease, kept alive while it is held."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobLeaseClient, ContainerClient

from local.host.host_json import SingletonOptions

_LOG = logging.getLogger(__name__)


class SingletonLock:
    """
    Lets one host at a time run a listener.

    A host that crashes keeps the lock until its lease runs out, and losers look again only at intervals, so that a
    listener may be without a host for the sum of both. Source: the platform's SingletonManager.
    """

    def __init__(self, container: ContainerClient, host_id: str, name: str, options: SingletonOptions) -> None:
        self._blob = container.get_blob_client(f"locks/{host_id}/{name}")
        self._name = name
        self._options = options
        self._lease: BlobLeaseClient | None = None
        self._released = threading.Event()
        self._renewer = threading.Thread(target=self._renew, name=f"lease-{name}", daemon=True)

    def acquire(self, stopping: threading.Event) -> bool:
        """Wait for the lock; answer False if `stopping` was set first."""
        while not stopping.is_set():
            if self._try_acquire():
                self._renewer.start()
                return True
            _LOG.info("Another host holds the lock '%s'; it is tried again.", self._name)
            stopping.wait(self._options.recovery_s)
        return False

    def release(self) -> None:
        """Give the lock up; harmless when it is not held."""
        self._released.set()
        lease, self._lease = self._lease, None
        if lease is None:
            return
        self._renewer.join()
        try:
            lease.release()
        except AzureError as error:
            _LOG.debug("the lock '%s' could not be released: %s", self._name, error)

    def _try_acquire(self) -> bool:
        try:
            self._ensure_blob()
            self._lease = self._blob.acquire_lease(lease_duration=round(self._options.lease_s))
        except HttpResponseError as error:
            if error.status_code != 409:
                _LOG.warning("The lock '%s' cannot be taken: %s", self._name, error.message)
            return False
        return True

    def _ensure_blob(self) -> None:
        with suppress(ResourceExistsError):
            self._blob.upload_blob(b"", overwrite=False)

    def _renew(self) -> None:
        while not self._released.wait(self._options.lease_s / 2):
            lease = self._lease
            try:
                if lease is not None:
                    lease.renew()
            except AzureError as error:
                _LOG.error(
                    "The lock '%s' could not be renewed: another host may run its listener too. %s", self._name, error
                )
