"""
Looks into the catalog, on threads of their own: neither scoring nor callers of unknown addresses hold them up.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from studio.serving.registry import Registry


class News:
    """Looks for news; to be used from one event loop."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._regular = ThreadPoolExecutor(1, thread_name_prefix="catalog")
        self._asked_for = ThreadPoolExecutor(1, thread_name_prefix="news")
        self._waiting: asyncio.Task[None] | None = None
        self._under_way: asyncio.Task[None] | None = None

    async def refresh(self) -> bool:
        """Take over what has changed; True when something had."""
        return await asyncio.get_running_loop().run_in_executor(self._regular, self._registry.refresh)

    async def look(self) -> None:
        """Return after a look that began after this call; all who wait for one share it, and none takes a thread."""
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._after(self._under_way))
        await asyncio.shield(self._waiting)

    async def _after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._waiting = self._waiting, None
        await asyncio.get_running_loop().run_in_executor(self._asked_for, self._registry.look_for_news)
