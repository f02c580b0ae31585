"""Receipts: one empty blob for each (function, blob, version) that has been handed on, so that it is handed on once."""

from __future__ import annotations

from collections.abc import Callable

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobClient, ContainerClient

_INCOMPLETE = {"Incomplete": "Incomplete"}
_LEASE_S = 30


class Receipts:
    """
    The receipts of one host; several hosts may share them.

    They live at `blobreceipts/<host>/<function>/<ETag>/<container>/<blob>`, as the platform's do. Deleting one replays.
    """

    def __init__(self, container: ContainerClient, host_id: str) -> None:
        self._container = container
        self._host_id = host_id

    def settle(self, function_id: str, container: str, blob: str, etag: str, hand_on: Callable[[], None]) -> bool:
        """
        Hand a blob's version on unless that has been done; the receipt counts from when it was, not from when it ran.

        Returns:
            Whether it is settled now; False when another host is at it, so that the caller looks again later.

        Raises:
            AzureError: Storage or `hand_on` failed; nothing is recorded.
        """
        receipt = self._container.get_blob_client(
            f"blobreceipts/{self._host_id}/{function_id}/{etag}/{container}/{blob}"
        )
        state = _state(receipt)
        if state == "complete" or (state is None and not _create(receipt)):
            return state == "complete"
        return _hand_on_under_lease(receipt, hand_on)


def _state(receipt: BlobClient) -> str | None:
    try:
        metadata = receipt.get_blob_properties().metadata
    except ResourceNotFoundError:
        return None
    return "incomplete" if "Incomplete" in (metadata or {}) else "complete"


def _create(receipt: BlobClient) -> bool:
    try:
        receipt.upload_blob(b"", metadata=_INCOMPLETE, overwrite=False)
    except ResourceExistsError:
        return False
    return True


def _hand_on_under_lease(receipt: BlobClient, hand_on: Callable[[], None]) -> bool:
    try:
        lease = receipt.acquire_lease(lease_duration=_LEASE_S)
    except HttpResponseError as error:
        if error.status_code in (404, 409, 412):
            return False
        raise
    try:
        if _state(receipt) != "complete":
            hand_on()
            receipt.set_blob_metadata({}, lease=lease)
    finally:
        lease.release()
    return True
