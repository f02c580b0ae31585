"""An answer sent without a framework."""

from __future__ import annotations

from starlette.types import Send

_JSON = (b"content-type", b"application/json; charset=utf-8")


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send a whole answer of JSON."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [_JSON, length]})
    await send({"type": "http.response.body", "body": body})
