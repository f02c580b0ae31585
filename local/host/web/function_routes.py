"""HTTP functions: which one serves a request, whether its key opens it, and how request and response are carried."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse

from local.host.functions import FunctionDefinition, HttpTrigger
from local.host.invocation import Call, Invoker
from local.host.messages import Datum, Kind, Outcome, Request, Response
from local.host.web.keys import Keys

_BUILT_IN = ("admin", "runtime")


@dataclass(frozen=True)
class _Match:
    function: FunctionDefinition
    trigger: HttpTrigger
    route: dict[str, str]


def offered_key(request: WebRequest) -> str:
    """Return the key that came with a request: header `x-functions-key`, else query parameter `code`."""
    return request.headers.get("x-functions-key") or request.query_params.get("code") or ""


class FunctionRoutes:
    """
    Serves every HTTP function below the route prefix.

    Args:
        prefix: `extensions.http.routePrefix`, "" for none.
        threads: Where invocations wait, so that the event loop does not.
    """

    def __init__(
        self, functions: Sequence[FunctionDefinition], invoker: Invoker, keys: Keys, *, prefix: str, threads: Executor
    ) -> None:
        served = [(f, f.trigger) for f in functions if isinstance(f.trigger, HttpTrigger)]
        self._served = sorted(served, key=lambda pair: pair[1].route.precedence)
        self._invoker = invoker
        self._keys = keys
        self._prefix = f"{prefix}/" if prefix else ""
        self._threads = threads

    async def serve(self, request: WebRequest) -> WebResponse:
        """Answer 404 without a route, 401 without a key, 404 for a disabled function, else what the function says."""
        found = self._find(request.method, request.url.path.lstrip("/"))
        if found is None:
            return WebResponse(status_code=404)
        key = offered_key(request)
        if not self._keys.opens_function(key, found.trigger.auth_level):
            return WebResponse(status_code=401)
        if found.function.is_disabled and not self._keys.is_master(key):
            return WebResponse(status_code=404)
        call = Call(
            found.function,
            Datum(Kind.HTTP, await _to_function(request, found.route)),
            "This function was programmatically called via the host APIs.",
        )
        loop = asyncio.get_running_loop()
        return _from_function(await loop.run_in_executor(self._threads, self._invoker.run, call))

    def url(self, base: str, trigger: HttpTrigger) -> str:
        """Return a function's address, with its parameters in braces."""
        return f"{base}/{self._prefix}{trigger.route.text}"

    def _find(self, method: str, path: str) -> _Match | None:
        if not path.lower().startswith(self._prefix.lower()) or path.split("/")[0].lower() in _BUILT_IN:
            return None
        for function, trigger in self._served:
            route = trigger.route.match(path[len(self._prefix) :])
            if route is not None and (not trigger.methods or method in trigger.methods):
                return _Match(function, trigger, route)
        return None


async def _to_function(request: WebRequest, route: dict[str, str]) -> Request:
    """Carry a request over; a body is forwarded only when Content-Length announces one, so chunked bodies are lost."""
    length = request.headers.get("content-length", "0")
    has_body = length.isdigit() and int(length) > 0
    names = dict.fromkeys(request.headers.keys())
    return Request(
        method=request.method,
        url=str(request.url),
        headers={name.lower(): ",".join(request.headers.getlist(name)) for name in names},
        query={
            name: ",".join(request.query_params.getlist(name))
            for name in request.query_params
            if any(request.query_params.getlist(name))
        },
        route=route,
        body=await request.body() if has_body else None,
    )


def _from_function(outcome: Outcome) -> WebResponse:
    if outcome.failure is not None:
        return WebResponse(status_code=500)
    returned = outcome.outputs.get("$return")
    if returned is None:
        return WebResponse(status_code=204)
    if not isinstance(returned.value, Response):
        return WebResponse(str(returned.value), media_type="text/plain")
    given = returned.value
    response = WebResponse(given.body, given.status, dict(given.headers))
    for cookie in given.cookies:
        response.headers.append("set-cookie", cookie)
    return response
