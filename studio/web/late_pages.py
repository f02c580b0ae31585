"""
Everything but scoring and health, imported and put together when somebody first asks for it.

A process that only scores starts sooner and stays smaller; the first other request waits some tenths of a second.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.logs import event

_log = logging.getLogger(__name__)


class LatePages:
    """
    An ASGI application that becomes another with its first request.

    Args:
        build: Makes the other application; called once, in a thread.
        prepare: Creates in storage what these pages need; called in a thread with each request until it has worked.
    """

    def __init__(self, build: Callable[[], ASGIApp], prepare: Callable[[], object]) -> None:
        self._build = build
        self._prepare = prepare
        self._making = asyncio.Lock()
        self._pages: ASGIApp | None = None
        self._is_prepared = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if self._pages is None or not self._is_prepared:
            async with self._making:
                await self._make()
        assert self._pages is not None  # noqa: S101 - made above
        await self._pages(scope, receive, send)

    def _built(self) -> ASGIApp:
        # What is imported now stays. A collection that went through it would hold up every request under way.
        gc.disable()
        try:
            _import_async_backend()
            return self._build()
        finally:
            gc.freeze()
            gc.enable()

    async def _make(self) -> None:
        if self._pages is None:
            self._pages = await asyncio.to_thread(self._built)
        if not self._is_prepared:
            self._is_prepared = await asyncio.to_thread(self._has_prepared)

    def _has_prepared(self) -> bool:
        from azure.core.exceptions import AzureError  # with the rest of what comes late

        try:
            self._prepare()
        except AzureError as error:  # what needs storage will say so itself
            event(_log, "storage.not_prepared", level=logging.WARNING, reason=type(error).__name__)
            return False
        return True


def _import_async_backend() -> None:
    """Have anyio import what the framework's thread pool needs: at its first use it would do so on the event loop."""
    import anyio  # with the rest of what comes late

    anyio.run(anyio.sleep, 0)
