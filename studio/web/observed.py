"""Request ids and one log line per request, around everything that answers."""

from __future__ import annotations

import random
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from studio.errors import BadArgument
from studio.web.answers import Headers, WholeAnswer
from studio.web.facts import REQUEST_ID, noted
from studio.web.faults import rendered
from studio.web.metrics import Metrics
from studio.web.request_log import RequestLog, facts_json
from studio.web.scoring import ScoringApp

_SHOWABLE = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_REQUEST_ID, _CALLER_ID = b"x-ms-request-id", b"x-ms-client-request-id"
_JSON_HEAD = "content-type: application/json; charset=utf-8\r\ncontent-length: "
_ID_HEAD = "\r\nx-ms-request-id: "
_MALFORMED = "this is no HTTP/1.1 request: its first line, a header or the length of its body is malformed"
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
        (request_id, caller_id), started, status = _ids(scope["headers"]), time.perf_counter(), 0
        scope[REQUEST_ID] = request_id
        marks = [(_REQUEST_ID, request_id.encode())]
        if caller_id:
            marks.append((_CALLER_ID, caller_id.encode()))

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
            known = facts_json({"method": scope["method"], "path": scope["path"], **facts})
            self._log.add(request_id, caller_id, status, seconds, known)

    def answer_at_once(self, url: bytes, headers: Headers, body: bytes) -> WholeAnswer | None:
        """Answer a request that is here whole, if that takes no waiting; None leaves it to be called."""
        started = time.perf_counter()
        answer = self._scoring.answer_at_once(url, headers, body)
        if answer is None:
            return None
        status, text, facts = answer
        request_id, caller_id = _ids(headers)
        head = f"{_JSON_HEAD}{len(text)}{_ID_HEAD}{request_id}\r\n"
        if caller_id:
            head += f"x-ms-client-request-id: {caller_id}\r\n"
        seconds = time.perf_counter() - started
        self._metrics.count_scored(status, seconds)
        self._log.add(request_id, caller_id, status, seconds, facts)
        return status, head.encode(), text

    def answer_malformed(self) -> WholeAnswer:
        """Answer what is no HTTP: there is no header to take a caller's id from."""
        request_id, _ = _ids([])
        status, text = rendered(BadArgument("RequestBodyInvalid", _MALFORMED))
        self._metrics.count(_UNKNOWN, status, 0.0)
        self._log.add(request_id, "", status, 0.0, facts_json({"malformed": True}))
        return status, f"{_JSON_HEAD}{len(text)}{_ID_HEAD}{request_id}\r\n".encode(), text


def _ids(headers: Headers) -> tuple[str, str]:
    """Draw a request's id, which opens nothing (quick randomness will do), and take its caller's, empty without one."""
    caller = b""
    for name, value in headers:
        if name == _CALLER_ID:
            caller = value if _SHOWABLE.fullmatch(value) else b""
            break
    return random.randbytes(16).hex(), caller.decode()
