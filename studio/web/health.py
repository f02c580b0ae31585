"""Liveness and readiness, without routing tables: probes come often, and should not wait for anything else."""

from __future__ import annotations

import asyncio

import orjson
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from shared.version import code_version
from studio.serving.registry import Registry
from studio.web.answers import send_json
from studio.web.faults import rendered

LIVE, READY = "/health/live", "/health/ready"
PATHS = (LIVE, READY)


class HealthApp:
    """Answers GET at the two addresses."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._live: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; neither needs storage."""
        if scope["method"] not in ("GET", "HEAD"):
            await send_json(send, *rendered(HTTPException(405)))
        elif scope["path"] == LIVE:
            if self._live is None:  # which code this is may have to be asked of another program, once
                self._live = orjson.dumps({"status": "live", "version": await asyncio.to_thread(code_version)})
            await send_json(send, 200, self._live)
        elif self._registry.is_ready:
            await send_json(send, 200, orjson.dumps({"status": "ready", "problems": self._registry.problems}))
        else:
            reason = {"status": "starting", "reason": "the catalog was not read yet"}
            await send_json(send, 503, orjson.dumps(reason))
