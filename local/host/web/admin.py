"""Administration: the host's state, its functions, and running one by hand. All but ping take the master key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.host.functions import FunctionDefinition
from local.host.web.function_routes import offered_key
from local.host.web.keys import Keys

# Starts a function with an input text and returns at once.
RunByHand = Callable[[FunctionDefinition, str], None]


class Admin:
    """
    `/admin/…`.

    Args:
        functions: By lower-case name; names are compared without case.
        errors: What is wrong with functions that are not run, by name.
    """

    def __init__(
        self,
        functions: Mapping[str, FunctionDefinition],
        errors: Mapping[str, str],
        keys: Keys,
        *,
        host_id: str,
        run: RunByHand,
    ) -> None:
        self._functions = functions
        self._errors = errors
        self._keys = keys
        self._host_id = host_id
        self._run = run

    async def serve(self, request: Request) -> Response:
        """Answer one call below `/admin`."""
        path = request.url.path.strip("/").lower().split("/")[1:]
        if path == ["host", "ping"] and request.method in ("GET", "POST"):
            return Response(status_code=200)
        if not self._keys.is_master(offered_key(request)):
            return Response(status_code=401)
        match request.method, path:
            case "GET", ["host", "status"]:
                return JSONResponse(self._status())
            case "GET", ["functions"]:
                return JSONResponse([_described(function) for function in self._functions.values()])
            case "GET", ["functions", name] if name in self._functions:
                return JSONResponse(_described(self._functions[name]))
            case "POST", ["functions", name] if name in self._functions:
                return await self._start(self._functions[name], request)
        return Response(status_code=404)

    def _status(self) -> dict[str, Any]:
        errors = [f"The '{name}' function is in error: {problem}" for name, problem in self._errors.items()]
        return {"id": self._host_id, "state": "Running", "version": "4.0.0", "errors": errors}

    async def _start(self, function: FunctionDefinition, request: Request) -> Response:
        body = await request.body()
        try:
            content = json.loads(body) if body else {}
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return JSONResponse({"message": 'the body must be a JSON object such as {"input": "…"}'}, 400)
        value = content.get("input")
        self._run(function, value if isinstance(value, str) else json.dumps(value) if value is not None else "")
        return Response(status_code=202)


def _described(function: FunctionDefinition) -> dict[str, Any]:
    return {
        "name": function.name,
        "isDisabled": function.is_disabled,
        "language": "python",
        "config": {"name": function.name, "bindings": list(function.raw_bindings)},
    }
