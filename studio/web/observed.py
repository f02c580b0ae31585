"""Request ids and one log line per request, around everything that answers."""

from __future__ import annotations

import random
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.web.metrics import Metrics
from studio.web.request_log import RequestLog

_SHOWABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REQUEST_ID, _CALLER_ID = b"x-ms-request-id", b"x-ms-client-request-id"
_FACTS = "studio.facts"
_UNKNOWN = "none"  # health, and addresses that nobody answers


def note(scope: Scope, **facts: Any) -> None:
    """Add facts, such as the job id, to the log line of the request under way."""
    noted = scope.get(_FACTS)
    if noted is None:
        scope[_FACTS] = facts
    else:
        noted.update(facts)


class Observed:
    """ASGI wrapper: ids on every answer, the caller's own echoed; one log line and one count when it is done."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and watch its answer."""
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                self._log.flush()  # the server stops
            return
        request_id, caller_id = _new_request_id(), _caller_id(scope)
        started, status = time.perf_counter(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (_REQUEST_ID, request_id.encode())]
                if caller_id:
                    message["headers"].append((_CALLER_ID, caller_id))
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            seconds, facts = time.perf_counter() - started, scope.get(_FACTS, {})
            self._metrics.count(facts.get("operation", _UNKNOWN), status, seconds)
            self._log.add(
                {
                    "request_id": request_id,
                    "client_request_id": caller_id.decode() or None,
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "duration_ms": round(seconds * 1000, 3),
                    **facts,
                }
            )


def _new_request_id() -> str:
    """Draw 32 hex digits; they tell requests apart and open nothing, so the quick generator is good enough."""
    return f"{random.getrandbits(128):032x}"


def _caller_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == _CALLER_ID and _SHOWABLE.fullmatch(value):
            return bytes(value)
    return b""
