"""The ASGI application: scoring and health in front, the rest behind them, ids and log lines around all."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.logs import event
from studio.core import Core
from studio.web import health
from studio.web.key_guard import KeyGuard
from studio.web.late_pages import LatePages
from studio.web.metrics import FOLDER, Metrics
from studio.web.news import News
from studio.web.observed import Observed
from studio.web.request_log import RequestLog
from studio.web.scoring import ScoringApp, is_scoring

if TYPE_CHECKING:
    from studio.bootstrap import Service
    from studio.store.job_overview import JobOverview

_NEWS_EVERY_S = 0.5  # a PATCH on another replica is served here within a second
_SHARED_EVERY_S = 1.0

_log = logging.getLogger(__name__)


def create_app(core: Core, complete: Callable[[Core], Service] | None = None) -> ASGIApp:
    """
    Make the application; its lifespan follows the catalog.

    Args:
        complete: Makes the whole service when it is first needed; None for `bootstrap.complete`.
    """
    folder, guard = os.environ.get(FOLDER), KeyGuard()

    def jobs() -> JobOverview:
        from studio.store.job_overview import JobOverview

        return JobOverview(core.storage.jobs)

    def build() -> ASGIApp:
        from studio.bootstrap import complete as from_core
        from studio.web.pages import pages

        return pages((complete or from_core)(core), guard, metrics, news)

    metrics = Metrics(lambda: core.registry.catalog, jobs, Path(folder) if folder else None)
    news = News(core.registry)
    scoring = ScoringApp(core.registry, guard, news, core.settings.operation.body_seconds)
    front = _Front(core, metrics, news, scoring, LatePages(build, core.storage.prepare))
    log = RequestLog(as_json=bool(core.settings.operation.log_json))
    return Observed(front, scoring, metrics, log)


class _Front:
    """Sends scoring and health to their bare callables, and everything else to the pages."""

    def __init__(self, core: Core, metrics: Metrics, news: News, scoring: ASGIApp, pages: ASGIApp) -> None:
        self._core = core
        self._metrics = metrics
        self._news = news
        self._scoring = scoring
        self._health = health.HealthApp(core.registry)
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_scoring(scope):
            await self._scoring(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] in health.PATHS:
            await self._health(scope, receive, send)
        else:
            await self._pages(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        tasks = [asyncio.create_task(_follow(self._core, self._news)), asyncio.create_task(_share(self._metrics))]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})


async def _follow(core: Core, news: News) -> None:
    """Look for news for ever; an outage is logged when it begins and when it ends."""
    answering: bool | None = None
    while True:
        try:
            if await news.refresh():
                event(_log, "catalog.taken_over", version=core.registry.catalog.version)
            if not answering:
                event(_log, "storage.answered")
            answering = True
        except Exception as error:  # scoring goes on from memory whatever storage says
            if answering is not False:
                event(_log, "storage.failed", level=logging.ERROR, reason=_first_line(error))
            answering = False
        await asyncio.sleep(_NEWS_EVERY_S)


async def _share(metrics: Metrics) -> None:
    """Leave the counts to the other serving processes, for ever; they need them to answer a scrape."""
    failing = False
    while metrics.is_shared:
        try:
            metrics.share()
            failing = False
        except OSError as error:  # a full disk, say: counts are left again when it has room
            if not failing:
                event(_log, "metrics.not_shared", level=logging.ERROR, reason=_first_line(error))
            failing = True
        await asyncio.sleep(_SHARED_EVERY_S)


def _first_line(error: Exception) -> str:
    line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {line[:200]}"
