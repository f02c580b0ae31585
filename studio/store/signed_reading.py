"""
Reads a storage account by its key, without the storage libraries.

A scoring process needs nothing of storage but to read models and the catalog, and the libraries are half of its start.
Source: "Authorize with Shared Key" and "Query Entities" in the storage services' REST reference.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import time
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from shared.secret import Secret
from studio.errors import Unavailable

_BLOB_VERSION, _TABLE_VERSION = "2021-12-02", "2019-02-02"
_UNUSED_HEADERS = 11  # those whose values a signature for blobs covers, and that a plain GET does not have
_TRIES = 3
_PAUSE_S = 0.3  # before the second try, twice that before the third
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Answer:
    """What storage answered: 200 or 404; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class SignedReader:
    """
    Sends signed GETs to one service of an account, over connections that it keeps; may be shared by threads.

    Its reads raise Unavailable when storage does not answer, or refuses.

    Args:
        endpoint: The service's address, without trailing slash.
        key: The account's key.
        timeout_s: For connecting, and for each part of an answer.
    """

    def __init__(self, endpoint: str, account: str, key: Secret, timeout_s: float) -> None:
        self._place = urlsplit(endpoint)
        self._account = account
        self._key = base64.b64decode(key.reveal())
        self._timeout_s = timeout_s
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def blob(self, path: str) -> Answer:
        """Get a blob by its path in the account, which needs no escaping in an address."""
        stamps = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _BLOB_VERSION}
        lines = ["GET", *[""] * _UNUSED_HEADERS, *(f"{name}:{value}" for name, value in stamps.items())]
        return self._got(path, {**stamps, **self._signed("SharedKey", [*lines, self._resource(path)])})

    def table(self, path: str, query: str = "") -> Answer:
        """Get what a table's path in the account names, as JSON with the types that JSON does not tell."""
        date = formatdate(usegmt=True)
        stamps = {
            "x-ms-date": date,
            "x-ms-version": _TABLE_VERSION,
            "Accept": "application/json;odata=minimalmetadata",
            "DataServiceVersion": "3.0;NetFx",
        }
        signed = self._signed("SharedKeyLite", [date, self._resource(path)])
        return self._got(f"{path}?{query}" if query else path, {**stamps, **signed})

    def _resource(self, path: str) -> str:
        return f"/{self._account}{self._place.path}/{path}"

    def _signed(self, scheme: str, lines: list[str]) -> dict[str, str]:
        signature = base64.b64encode(hmac.digest(self._key, "\n".join(lines).encode(), hashlib.sha256)).decode()
        return {"Authorization": f"{scheme} {self._account}:{signature}"}

    def _got(self, path: str, headers: Mapping[str, str]) -> Answer:
        problem = ""
        target = f"{self._place.path}/{path}"
        for number in range(_TRIES):
            if number:
                time.sleep(_PAUSE_S * number)
            try:
                answer = self._over_kept_connection(target, headers) or self._exchanged(self._new(), target, headers)
            except (OSError, http.client.HTTPException) as error:
                problem = type(error).__name__
                continue
            if answer.status in (200, 404):
                return answer
            problem = f"status {answer.status}"
            if answer.status not in _AGAIN:
                break
        raise Unavailable("NoMoreResources", f"the service's storage does not answer ({problem}); try again")

    def _over_kept_connection(self, target: str, headers: Mapping[str, str]) -> Answer | None:
        """Ask over a connection that was used before; None when there is none, or the other end has closed it."""
        try:
            return self._exchanged(self._idle.pop(), target, headers)
        except (IndexError, OSError, http.client.HTTPException):
            _close_all(self._idle)  # those that are older are closed too
            return None

    def _exchanged(self, connection: http.client.HTTPConnection, target: str, headers: Mapping[str, str]) -> Answer:
        try:
            connection.request("GET", target, headers=dict(headers))
            response = connection.getresponse()
            body = response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def _new(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._place.scheme == "https" else http.client.HTTPConnection
        return kind(str(self._place.hostname), self._place.port, timeout=self._timeout_s)


def _close_all(connections: deque[http.client.HTTPConnection]) -> None:
    with suppress(IndexError):
        while True:
            connections.pop().close()
