"""Finds new and changed blobs by listing containers; LastModified, in whole seconds, says what is new."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobClient, ContainerClient

_LOG = logging.getLogger(__name__)
_EPOCH = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FoundBlob:
    """One listed blob; `etag` is in quotes, as the platform writes it."""

    container: str
    name: str
    etag: str
    modified_at: datetime


class ContainerScan:
    """
    Sweeps of one container, a page at a time; progress is stored, so that a restart does not begin anew.

    Args:
        container: What is listed.
        progress: Blob that keeps the LastModified reached (`blobscaninfo/…/scanInfo`).
    """

    def __init__(self, container: ContainerClient, progress: BlobClient) -> None:
        self._container = container
        self._progress = progress
        self._last_sweep = self._saved = _load(progress)
        self._this_sweep = _EPOCH
        self._token: str | None = None

    def next_page(self, page_size: int) -> list[FoundBlob]:
        """
        List the next page and return the blobs at least as new as the newest of the last whole sweep.

        The newest are returned again and again: a blob written in the same second must not be missed.
        """
        if self._token is None:
            self._this_sweep = _EPOCH
        listed = list(self._listed(page_size))
        self._this_sweep = max([self._this_sweep, *(blob.modified_at for blob in listed)])
        found = [blob for blob in listed if blob.modified_at >= self._last_sweep]
        if self._token is None:
            self._last_sweep = max(self._last_sweep, self._this_sweep)
        return found

    def save(self, unsettled: Iterable[FoundBlob]) -> None:
        """
        Store the progress if there is any, but none beyond a blob that is still to be handed on.

        Raises:
            AzureError: It could not be stored.
        """
        reached = min([self._last_sweep, *(blob.modified_at for blob in unsettled)])
        if reached > self._saved:
            # A moment early: a blob may still appear within the same second.
            latest = (reached - timedelta(milliseconds=1)).isoformat()
            self._progress.upload_blob(json.dumps({"LatestScan": latest}), overwrite=True)
            self._saved = reached

    def _listed(self, page_size: int) -> Iterator[FoundBlob]:
        pages: Any = self._container.list_blobs(results_per_page=page_size).by_page(self._token)
        try:
            page = list(next(pages, []))
        except ResourceNotFoundError:
            _LOG.debug("the container '%s' does not exist yet", self._container.container_name)
            page = []
        self._token = pages.continuation_token or None
        for blob in page:
            yield FoundBlob(self._container.container_name, blob.name, quoted(blob.etag), blob.last_modified)


def quoted(etag: str) -> str:
    """Write an ETag in quotes: listings give it without, properties with."""
    return f'"{etag.strip(chr(34))}"'


def _load(progress: BlobClient) -> datetime:
    """Receipts keep a scan from the beginning from doing anything twice, so an unreadable progress is no harm."""
    try:
        return datetime.fromisoformat(json.loads(progress.download_blob().readall())["LatestScan"])
    except (ResourceNotFoundError, ValueError, KeyError, TypeError):
        return _EPOCH
