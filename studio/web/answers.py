"""Answers without a framework, for what is answered on the spot."""

from __future__ import annotations

from starlette.types import Send

_JSON = (b"content-type", b"application/json; charset=utf-8")

Headers = list[tuple[bytes, bytes]]


# Status, headers as they stand on the wire, each with its line end, and body.
WholeAnswer = tuple[int, bytes, bytes]


def header(headers: Headers, wanted: bytes) -> bytes:
    """Return the first header of that name, in lower case; empty when there is none."""
    for name, value in headers:
        if name == wanted:
            return value
    return b""


def json_headers(body: bytes) -> Headers:
    """Say what a whole answer of JSON is, and how long."""
    return [_JSON, (b"content-length", b"%d" % len(body))]


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer of JSON."""
    await send({"type": "http.response.start", "status": status, "headers": json_headers(body)})
    await send({"type": "http.response.body", "body": body})
