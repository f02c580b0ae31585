"""
POST …/execute as a bare ASGI callable: the hot path, without routing tables, request objects or middleware.

What is on this way, and what leaving each part out has brought: docs/performance.md.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from studio.engine.scorer import Scorer
from studio.errors import BadArgument, NotFound, QuotaExceeded, RequestTimeout, Unauthorized
from studio.services.catalog import WebService
from studio.services.keys import bearer_key
from studio.serving.registry import Registry, Served
from studio.serving.scoring import Form, form_of, read_request, score, scorer_of, write_answer
from studio.web.admission import Admission
from studio.web.answers import Headers, header, send_json
from studio.web.facts import note
from studio.web.faults import rendered
from studio.web.key_guard import KeyGuard
from studio.web.metrics import SCORING
from studio.web.news import News
from studio.web.request_log import facts_json

MAX_BODY_BYTES = 16 * 2**20

_EXECUTE = "/execute"
_OWNERS = ("workspaces", "subscriptions")
_INLINE_BYTES = 64 * 2**10  # about 200 rows: above that, other requests should not wait for this one


def is_scoring(scope: Scope) -> bool:
    """Whether a request is for this callable."""
    return scope["type"] == "http" and str(scope["path"]).endswith(_EXECUTE)


class ScoringApp:
    """
    Answers one scoring request: key, rows, model, answer.

    Args:
        body_seconds: How long a caller may take to send its body; it holds one of the endpoint's places meanwhile.
    """

    def __init__(self, registry: Registry, guard: KeyGuard, news: News, body_seconds: float) -> None:
        self._registry = registry
        self._guard = guard
        self._news = news
        self._body_seconds = body_seconds
        self._admission = Admission()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with 200 and rows, or with the protocol's error body."""
        note(scope, operation=SCORING)
        try:
            status, answer = 200, await self._answer(scope, receive)
        except Exception as error:  # the renderer knows every kind, and logs what nobody foresaw
            status, answer = rendered(error)
        await send_json(send, status, answer)

    def is_prompt(self, method: bytes, url: bytes) -> bool:
        """Whether a request may be answered on the spot, as far as its first line tells."""
        return method == b"POST" and _target(url) is not None

    def answer_at_once(self, url: bytes, headers: Headers, body: bytes) -> tuple[int, bytes, str] | None:
        """
        Answer a short request that is here whole, without a task of its own.

        Returns:
            Status, body and facts for the log, an object of JSON; None for every other request, and for one whose key
            has to be refused, whose endpoint has to be looked up or whose model has to be loaded.
        """
        target = _target(url)
        if target is None or len(body) > _INLINE_BYTES:
            return None
        served = self._registry.find(target.endpoint_id)
        if served is None or served.endpoint.workspace != target.owner:
            return None
        if not _opens(header(headers, b"authorization"), served) or not self._guard.is_open(target.endpoint_id):
            return None
        scorer = served.loaded
        if scorer is None:
            return None
        try:
            self._admission.check(served.endpoint)  # nothing else is scored in this thread meanwhile
            status, answer = 200, _scored(scorer, served.service, body, target.form)
        except Exception as error:  # as above
            status, answer = rendered(error)
        return status, answer, _facts_text(target.path, served.endpoint.name, served.service.name)

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            raise HTTPException(405)
        address = _address(scope["path"])
        if address is None:
            raise HTTPException(404)
        owner, endpoint_id = address
        served = self._registry.find(endpoint_id)
        if served is None:
            await self._news.look()
            served = self._registry.find(endpoint_id)
        if served is None or served.endpoint.workspace != owner:
            raise NotFound("WebServiceNotFound", "no such endpoint in this workspace; check the address")
        self._let_in(scope, served)
        self._admission.enter(served.endpoint)
        try:
            body = await self._body(scope, receive)
            form = _form(scope["query_string"])
            scorer = served.loaded
            if scorer is None:
                scorer = await asyncio.to_thread(scorer_of, served)
            if len(body) <= _INLINE_BYTES:
                return _scored(scorer, served.service, body, form)
            return await asyncio.to_thread(_scored, scorer, served.service, body, form)
        finally:
            self._admission.leave(served.endpoint)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        try:
            async with asyncio.timeout(self._body_seconds):
                return await _body(scope, receive)
        except TimeoutError:
            raise RequestTimeout(
                "ScoreRequestTimeout",
                f"the body was not here whole after {self._body_seconds:g} seconds; send fewer rows in one request",
            ) from None

    def _let_in(self, scope: Scope, served: Served) -> None:
        self._guard.check(scope, served.endpoint.id)
        if not _opens(header(scope["headers"], b"authorization"), served):
            refusal = Unauthorized("ScoreRequestUnauthorized", "Invalid credentials provided.")
            raise self._guard.refused(scope, served.endpoint.id, refusal)
        note(scope, **_facts(served))


class _Target(NamedTuple):
    """What the first line of a scoring request names."""

    path: str
    owner: str
    endpoint_id: str
    form: Form


@lru_cache(1024)  # a client asks the same address again and again
def _target(url: bytes) -> _Target | None:
    path, _, query = url.partition(b"?")
    text = path.decode("latin-1")
    address = _address(text) if text.endswith(_EXECUTE) and "%" not in text else None
    return _Target(text, *address, _form(query)) if address else None


@lru_cache(1024)
def _facts_text(path: str, endpoint: str, service: str) -> str:
    return facts_json({"method": "POST", "path": path, "operation": SCORING, "endpoint": endpoint, "service": service})


def _facts(served: Served) -> dict[str, Any]:
    return {"operation": SCORING, "endpoint": served.endpoint.name, "service": served.service.name}


def _opens(authorization: bytes, served: Served) -> bool:
    endpoint = served.endpoint
    return endpoint.opens_to(authorization) or endpoint.opens_with(bearer_key(authorization.decode("latin-1")))


@lru_cache(1024)
def _address(path: str) -> tuple[str, str] | None:
    """Return the owner and the endpoint's id of `/workspaces/OWNER/services/ID/execute`."""
    parts = path.split("/")
    is_one = len(parts) == 6 and parts[1] in _OWNERS and parts[3] == "services"
    return (parts[2], parts[4]) if is_one else None


def _scored(scorer: Scorer, service: WebService, body: bytes, form: Form) -> bytes:
    columns, rows, settings = read_request(body, service)
    return write_answer(scorer, score(scorer, columns, rows), settings, form)


@lru_cache(64)  # a client sends the same query with every request
def _form(query_string: bytes) -> Form:
    query = dict(parse_qsl(query_string.decode("latin-1")))
    return form_of(query.get("details", ""), query.get("format", ""))


async def _body(scope: Scope, receive: Receive) -> bytes:
    _check_size(int(header(scope["headers"], b"content-length") or 0))  # the server has refused anything but digits
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadArgument("RequestBodyInvalid", "the connection closed before the body was complete")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        _check_size(size)
        if not message.get("more_body"):
            return b"".join(parts)


def _check_size(n_bytes: int) -> None:
    if n_bytes > MAX_BODY_BYTES:
        raise QuotaExceeded("OutOfMemoryLimit", f"a scoring request may have at most {MAX_BODY_BYTES} bytes")
