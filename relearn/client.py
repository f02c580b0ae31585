"""Calls the function app: one method for each verb, every failure as a sentence that says what to do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import requests

from relearn.connection import Connection
from relearn.errors import CommandFailed, NoAccess, NotFound, Refused, Unavailable

_TIMEOUT_S = (10, 230)  # to connect; to answer: the platform cuts an HTTP call off after 230 s


class Client:
    """One function app, by address and key; the key travels in a header only."""

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url
        self._session = requests.Session()
        self._session.headers["x-functions-key"] = connection.key
        self._session.trust_env = not connection.is_local  # no proxy leads to this machine

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

    def get(self, *path: str, **query: str | None) -> Any:
        """GET `/api/{path}` and return the JSON answer; a query value of None is left out."""
        return self._document(self._send("GET", path, params=_given(query)))

    def text(self, *path: str, **query: str | None) -> str:
        """GET `/api/{path}` and return the answer as it is."""
        return self._send("GET", path, params=_given(query)).text

    def post(self, *path: str, body: dict[str, Any], **query: str | None) -> Any:
        """POST a JSON document to `/api/{path}` and return the JSON answer."""
        return self._document(self._send("POST", path, json=body, params=_given(query)))

    def judged(self, *path: str) -> tuple[bool, Any]:
        """GET a document whose status says whether all is well: 200 yes, 503 no."""
        response = self._send("GET", path, may_be=(503,))
        return response.ok, self._document(response)

    def _send(
        self, method: str, path: tuple[str, ...], *, may_be: tuple[int, ...] = (), **body: Any
    ) -> requests.Response:
        address = "/".join((self._url, "api", *(quote(part, safe="") for part in path)))
        try:
            response = self._session.request(method, address, timeout=_TIMEOUT_S, allow_redirects=False, **body)
        except requests.RequestException as failed:
            said = f"{method} {address}: no answer ({type(failed).__name__})"
            raise Unavailable(f"{said}: is the address right, and the function app up?") from None
        if response.status_code >= 300 and response.status_code not in may_be:
            raise _failure(f"{method} {address}", response)
        return response

    @staticmethod
    def _document(response: requests.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            raise Unavailable(f"{response.url.partition('?')[0]} answered with no JSON: is it a Relearn app?") from None


def _given(query: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _failure(what: str, response: requests.Response) -> CommandFailed:
    status, said = response.status_code, _said(response)
    if status == 401 or (status == 403 and not said):
        return NoAccess(f"{what}: the key is refused ({status}): set RELEARN_KEY to a function key of this app")
    if status == 404:
        return NotFound(
            said or f"{what}: there is nothing (404): is the address right, and the app as new as this command?"
        )
    if status in (408, 429) or status >= 500:
        return Unavailable(f"{what}: {said or 'the function app failed; its log says why'} ({status}): try again later")
    return Refused(said or f"{what}: refused ({status})")


def _said(response: requests.Response) -> str:
    try:
        body = json.loads(response.content)
    except ValueError:
        return ""
    return str(body.get("error") or "") if isinstance(body, dict) else ""
