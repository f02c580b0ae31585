"""Request ids and one log line per request, around everything that answers."""

from __future__ import annotations

import random
import re
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.web.answers import Headers, WholeAnswer
from studio.web.http_protocol import AtOnce
from studio.web.metrics import Metrics
from studio.web.request_log import RequestLog

_SHOWABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REQUEST_ID, _CALLER_ID = b"x-ms-request-id", b"x-ms-client-request-id"
_ID_FIELDS = {_REQUEST_ID: "request_id", _CALLER_ID: "client_request_id"}
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
    """
    ASGI wrapper: ids on every answer, the caller's own echoed; one log line and one count when it is done.

    Args:
        at_once: Answers what needs no waiting; None leaves a request to `app`.
    """

    def __init__(self, app: ASGIApp, at_once: AtOnce, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._at_once = at_once
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
        marks, started, status = _marks(scope), time.perf_counter(), 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *marks]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            self._note_done(scope, marks, status, time.perf_counter() - started)

    def answer_at_once(self, scope: Scope, body: bytes) -> WholeAnswer | None:
        """Answer a request that is here whole, if that takes no waiting; None leaves it to be called."""
        started = time.perf_counter()
        answer = self._at_once(scope, body)
        if answer is not None:
            marks = _marks(scope)
            answer.headers.extend(marks)
            self._note_done(scope, marks, answer.status, time.perf_counter() - started)
        return answer

    def _note_done(self, scope: Scope, marks: Headers, status: int, seconds: float) -> None:
        facts = scope.get(_FACTS, {})
        self._metrics.count(facts.get("operation", _UNKNOWN), status, seconds)
        ids = {_ID_FIELDS[name]: value.decode() for name, value in marks}
        done = {"status": status, "duration_ms": round(seconds * 1000, 3)}
        self._log.add({**ids, "method": scope["method"], "path": scope["path"], **done, **facts})


def _marks(scope: Scope) -> Headers:
    """Draw a request's id, which opens nothing (quick randomness will do), and take its caller's."""
    marks = [(_REQUEST_ID, b"%032x" % random.getrandbits(128))]
    for name, value in scope["headers"]:
        if name == _CALLER_ID and _SHOWABLE.fullmatch(value):
            marks.append((_CALLER_ID, value))
            break
    return marks
