"""One call of the batch or management protocol: who is calling, what was sent, how the answer is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from shared.secret import Secret
from studio.errors import BadArgument, NotFound, QuotaExceeded, Unauthorized
from studio.services.catalog import Endpoint, WebService
from studio.services.keys import bearer_key, is_id
from studio.serving.registry import Registry, Served
from studio.web.facts import REQUEST_ID, note
from studio.web.faults import rendered
from studio.web.key_guard import KeyGuard
from studio.web.news import News

MAX_BODY_BYTES = 40_000
MAX_DEFINITION_BYTES = 3_000_000  # the classic service's limit for a definition that comes in the request

_MANAGEMENT = "management"  # what the workspace token opens

Handler = Callable[["Call"], Response]

_T = TypeVar("_T")


class _Unknown(Exception):
    """Something named in the address is not in memory; another replica may have made it a moment ago."""


@dataclass(frozen=True)
class Doors:
    """What a request is held against before anything is done for it."""

    registry: Registry
    workspace_token: Secret | None
    guard: KeyGuard
    news: News


class Call:
    """A request with its body read. Content type and content encoding are ignored: clients send odd ones."""

    def __init__(self, request: Request, body: bytes, doors: Doors) -> None:
        self._request = request
        self._body = body
        self._doors = doors
        self._registry = doors.registry
        self._has_looked = False

    async def answered(self, handler: Handler) -> Response:
        """
        Run a handler in a thread; again after a look for news when the address names something unknown.

        The look takes none of the threads: callers of what is not there leave them to everybody else.
        """
        try:
            return await run_in_threadpool(handler, self)
        except _Unknown:
            await self._doors.news.look()
            self._has_looked = True
            return await run_in_threadpool(handler, self)

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return str(self._request.path_params[name])

    @property
    def address(self) -> str:
        """The path of the address, decoded."""
        return str(self._request.scope["path"])

    def has_path(self, name: str) -> bool:
        """Whether the address has that part."""
        return name in self._request.path_params

    def query(self, name: str) -> str:
        """Return a part of the query; empty when it is absent."""
        return self._request.query_params.get(name, "")

    @property
    def has_api_version(self) -> bool:
        """Whether the query names an api-version; clients of 2014/15 send none."""
        return "api-version" in self._request.query_params

    @property
    def request_id(self) -> str:
        """The id that the answer will carry."""
        return str(self._request.scope.get(REQUEST_ID, ""))

    def note(self, **facts: Any) -> None:
        """Add facts to the request's log line."""
        note(self._request.scope, **facts)

    def json(self) -> object:
        """Return the parsed body, None when there is none; BadArgument when it is no JSON."""
        text = self._body.removeprefix(b"\xef\xbb\xbf").strip()
        try:
            return orjson.loads(text) if text else None
        except orjson.JSONDecodeError as error:
            raise BadArgument("RequestBodyInvalid", f"the body is not JSON: {error}") from None

    def endpoint_by_id(self) -> Served:
        """Return the endpoint that the address names by id, once one of its keys was shown."""
        served = self._found(self.path("endpoint"))
        guard, door = self._doors.guard, served.endpoint.id
        guard.check(self._request.scope, door)
        if not served.endpoint.opens_with(self._key()):
            refusal = Unauthorized("ScoreRequestUnauthorized", "Invalid credentials provided.")
            raise guard.refused(self._request.scope, door, refusal)
        self.note(endpoint=served.endpoint.name, service=served.service.name)
        return served

    def open_endpoint(self) -> Served:
        """Return the endpoint that the address names by id; its self-description needs no key."""
        return self._found(self.path("endpoint"))

    def service(self) -> WebService:
        """Return the web service that the address names; any key problem is the caller's to check."""
        if not is_id(self.path("service")):
            raise BadArgument("WebServiceIdInvalid", "a web service's id has 32 lower-case hex digits; a list shows it")
        service = self._up_to_date(self._registry.catalog.services.get(self.path("service")))
        if service is None or service.workspace != self.path("owner"):
            raise NotFound(
                "WebServiceIdNotFoundInWorkspace", "no such web service in this workspace; check the address"
            )
        return service

    def managed_endpoint(self) -> tuple[WebService, Endpoint]:
        """Return the endpoint that the address names, once its own key or the workspace token was shown."""
        service, name = self.service(), self.path("name")
        endpoint = self._up_to_date(self._registry.catalog.endpoint_named(service.id, name))
        self._doors.guard.check(self._request.scope, _MANAGEMENT)
        if endpoint is None or not endpoint.opens_with(self._key()):
            self.require_workspace_token()
        if endpoint is None:
            raise NotFound("WebServiceNotFound", f"web service '{service.name}' has no endpoint '{name}'")
        self.note(endpoint=endpoint.name, service=service.name)
        return service, endpoint

    def require_workspace_token(self) -> None:
        """Refuse a caller without the workspace token; a workspace without one lets nobody in."""
        guard, token = self._doors.guard, self._doors.workspace_token
        guard.check(self._request.scope, _MANAGEMENT)
        if token is None or not token.matches(self._key()):
            refusal = Unauthorized(
                "ManagementRequestUnauthorized",
                "Invalid credentials provided. This needs the workspace token, or for one endpoint its own key.",
            )
            raise guard.refused(self._request.scope, _MANAGEMENT, refusal)

    def _found(self, endpoint_id: str) -> Served:
        served = self._up_to_date(self._registry.find(endpoint_id))
        if served is None or served.endpoint.workspace != self.path("owner"):
            raise NotFound("WebServiceNotFound", "no such endpoint in this workspace; check the address")
        return served

    def _up_to_date(self, found: _T | None) -> _T | None:
        if found is None and not self._has_looked:
            raise _Unknown
        return found

    def _key(self) -> str:
        return bearer_key(self._request.headers.get("authorization", ""))


class Calls:
    """Turns handlers into routes' endpoints: body read, handler run in a thread, errors rendered."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    def __call__(
        self, handler: Handler, *, max_bytes: int = MAX_BODY_BYTES
    ) -> Callable[[Request], Awaitable[Response]]:
        """Wrap one handler, whose requests may have `max_bytes`."""

        async def answer(request: Request) -> Response:
            note(request.scope, operation=handler.__name__)
            try:
                return await Call(request, await _body(request, max_bytes), self._doors).answered(handler)
            except Exception as error:  # the renderer knows every kind, and logs what nobody foresaw
                return fault_response(error)

        return answer


def json_response(body: object, status: int = 200) -> Response:
    """Answer with JSON, without any space around it."""
    return _json(orjson.dumps(body), status)


def empty_response() -> Response:
    """Answer 204."""
    return Response(status_code=204)


def fault_response(error: Exception) -> Response:
    """Answer with the protocol's error body."""
    status, body = rendered(error)
    return _json(body, status)


def _json(body: bytes, status: int) -> Response:
    return Response(body, status, media_type="application/json; charset=utf-8")


async def _body(request: Request, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > max_bytes:
            raise QuotaExceeded("OutOfMemoryLimit", f"a request here may have at most {max_bytes} bytes")
    return b"".join(parts)
