"""Request ids and one log line per request, around everything that answers."""

from __future__ import annotations

import logging
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.logs import event
from studio.keys import new_id
from studio.web.metrics import Metrics

_SHOWABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_FACTS = "studio.facts"
_UNKNOWN = "none"  # health, and addresses that nobody answers

_log = logging.getLogger(__name__)


def note(scope: Scope, **facts: Any) -> None:
    """Add facts, such as the job id, to the log line of the request under way."""
    scope.setdefault(_FACTS, {}).update(facts)


class Observed:
    """ASGI wrapper: ids on every answer, the caller's own echoed; one event and one count when it is done."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, caller_id = new_id(), _caller_id(scope)
        started, status = time.perf_counter(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_id_headers(request_id, caller_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            seconds, facts = time.perf_counter() - started, scope.get(_FACTS, {})
            self._metrics.count(facts.get("operation", _UNKNOWN), status, seconds)
            event(
                _log,
                "request.answered",
                request_id=request_id,
                client_request_id=caller_id.decode() or None,
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round(seconds * 1000, 3),
                **facts,
            )


def _caller_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-ms-client-request-id" and _SHOWABLE.fullmatch(value):
            return bytes(value)
    return b""


def _id_headers(request_id: str, caller_id: bytes) -> list[tuple[bytes, bytes]]:
    own = [(b"x-ms-request-id", request_id.encode())]
    return [*own, (b"x-ms-client-request-id", caller_id)] if caller_id else own
