"""An answer sent without a framework."""

from __future__ import annotations

from typing import NamedTuple

from starlette.types import Send

_JSON = (b"content-type", b"application/json; charset=utf-8")

Headers = list[tuple[bytes, bytes]]


class WholeAnswer(NamedTuple):
    """An answer ready to be written; names of headers are in lower case."""

    status: int
    headers: Headers
    body: bytes


def json_headers(body: bytes) -> Headers:
    """Say what a whole answer of JSON is, and how long."""
    return [_JSON, (b"content-length", b"%d" % len(body))]


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer of JSON."""
    await send({"type": "http.response.start", "status": status, "headers": json_headers(body)})
    await send({"type": "http.response.body", "body": body})
