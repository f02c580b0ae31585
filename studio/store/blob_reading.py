"""
Reads whole blobs by an account's key, without the blob library.

A scoring process needs nothing else of blobs, and the library is a quarter of its memory and of its start. Source:
"Authorize with Shared Key" in the storage services' REST reference; the requests go through the Azure SDK's own core.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import RetryPolicy
from azure.core.rest import HttpRequest

from shared.secret import Secret

_VERSION = "2021-12-02"
_UNUSED_HEADERS = 11  # those whose values the signature covers, and that a plain GET does not have


class BlobReader:
    """
    Opens one container; may be shared by threads.

    Args:
        endpoint: The account's blob endpoint, without trailing slash.
        patience: What the SDK's retry policy and transport take.
    """

    def __init__(self, endpoint: str, account: str, key: Secret, container: str, **patience: Any) -> None:
        self._base = f"{endpoint}/{container}"
        self._account = account
        self._key = base64.b64decode(key.reveal())
        self._client: PipelineClient[Any, Any] = PipelineClient(
            endpoint, policies=[RetryPolicy(**patience)], **patience
        )

    def read(self, name: str) -> bytes:
        """
        Return a blob's bytes; `name` needs no escaping in an address.

        Raises:
            ResourceNotFoundError: There is no such blob, or no such container.
            AzureError: Storage did not answer, or refused.
        """
        url = f"{self._base}/{name}"
        response = self._client.send_request(HttpRequest("GET", url, headers=self._signed(url)))
        if response.status_code == 404:
            raise ResourceNotFoundError(response=response)
        if response.status_code != 200:
            raise HttpResponseError(response=response)
        return bytes(response.content)

    def _signed(self, url: str) -> dict[str, str]:
        stamps = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
        lines = ["GET", *[""] * _UNUSED_HEADERS, *(f"{name}:{value}" for name, value in stamps.items())]
        signed = "\n".join([*lines, f"/{self._account}{urlsplit(url).path}"])
        signature = base64.b64encode(hmac.digest(self._key, signed.encode(), hashlib.sha256)).decode()
        return {**stamps, "Authorization": f"SharedKey {self._account}:{signature}"}
