"""Requests and answers without a framework, for what is answered on the spot."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Send

_JSON = (b"content-type", b"application/json; charset=utf-8")
JSON_HEAD = b"%s: %s\r\ncontent-length: %%d\r\n" % _JSON

Headers = list[tuple[bytes, bytes]]


class WholeRequest(NamedTuple):
    """A request that is here whole; `url` is what its first line names, names of headers are in lower case."""

    method: bytes
    url: bytes
    headers: Headers
    body: bytes
    caller: str

    def header(self, wanted: bytes) -> bytes:
        """Return the first header of that name, empty when there is none."""
        for name, value in self.headers:
            if name == wanted:
                return value
        return b""


class WholeAnswer(NamedTuple):
    """An answer ready to be written; `head` are its headers as they stand on the wire, each with its line end."""

    status: int
    head: bytes
    body: bytes


def json_headers(body: bytes) -> Headers:
    """Say what a whole answer of JSON is, and how long."""
    return [_JSON, (b"content-length", b"%d" % len(body))]


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer of JSON."""
    await send({"type": "http.response.start", "status": status, "headers": json_headers(body)})
    await send({"type": "http.response.body", "body": body})
