"""Request ids and one log line per request, around everything that answers."""

from __future__ import annotations

import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.web.answers import JSON_HEAD, Headers, WholeAnswer, WholeRequest
from studio.web.facts import REQUEST_ID, noted
from studio.web.metrics import SCORING, Metrics
from studio.web.request_log import RequestLog, facts_json
from studio.web.scoring import ScoringApp

_SHOWABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REQUEST_ID, _CALLER_ID = b"x-ms-request-id", b"x-ms-client-request-id"
_ID_FIELDS = {_REQUEST_ID: "request_id", _CALLER_ID: "client_request_id"}
_HEAD = JSON_HEAD + _REQUEST_ID + b": %b\r\n"
_UNKNOWN = "none"  # health, and addresses that nobody answers


class Observed:
    """
    ASGI wrapper: ids on every answer, the caller's own echoed; one log line and one count when it is done.

    Args:
        scoring: Answers on the spot what needs no waiting; `app` answers the rest.
    """

    def __init__(self, app: ASGIApp, scoring: ScoringApp, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._scoring = scoring
        self.is_prompt = scoring.is_prompt
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
        marks, started, status = _marks(scope["headers"]), time.perf_counter(), 0
        scope[REQUEST_ID] = marks[0][1].decode()

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *marks]
            await send(message)

        try:
            await self._app(scope, receive, send_marked)
        finally:
            seconds, facts = time.perf_counter() - started, noted(scope)
            self._metrics.count(facts.get("operation", _UNKNOWN), status, seconds)
            ids = {_ID_FIELDS[name]: value.decode() for name, value in marks}
            done = {"status": status, "duration_ms": round(seconds * 1000, 3)}
            self._log.add(facts_json({**ids, **done, "method": scope["method"], "path": scope["path"], **facts}))

    def answer_at_once(self, request: WholeRequest) -> WholeAnswer | None:
        """Answer a request that is here whole, if that takes no waiting; None leaves it to be called."""
        started = time.perf_counter()
        answer = self._scoring.answer_at_once(request)
        if answer is None:
            return None
        status, body, facts = answer
        (_, request_id), *caller = _marks(request.headers)
        head = _HEAD % (len(body), request_id)
        line = f'{{"request_id":"{request_id.decode()}",'
        for name, value in caller:
            head += b"%s: %s\r\n" % (name, value)
            line += f'"{_ID_FIELDS[name]}":"{value.decode()}",'
        seconds = time.perf_counter() - started
        self._metrics.count(SCORING, status, seconds)
        self._log.add(f'{line}"status":{status},"duration_ms":{seconds * 1000:.3f},{facts[1:]}')
        return WholeAnswer(status, head, body)


def _marks(headers: Headers) -> Headers:
    """Draw a request's id, which opens nothing (quick randomness will do), and take its caller's."""
    marks = [(_REQUEST_ID, b"%032x" % random.getrandbits(128))]
    for name, value in headers:
        if name == _CALLER_ID and _SHOWABLE.fullmatch(value):
            marks.append((_CALLER_ID, value))
            break
    return marks
