"""The ASGI application: scoring in front, the rest of the protocol behind it, ids and log lines around both."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.logs import event
from studio.addresses import Addresses
from studio.bootstrap import Service
from studio.publishing import Publishing
from studio.store.job_overview import JobOverview
from studio.web.batch import BatchApi
from studio.web.calls import Call, Calls, Doors, fault_response, json_response
from studio.web.description import DescriptionApi
from studio.web.help_pages import HelpApi
from studio.web.key_guard import KeyGuard
from studio.web.management import ManagementApi
from studio.web.metrics import CONTENT_TYPE, FOLDER, Metrics
from studio.web.observed import Observed
from studio.web.openapi import openapi_routes
from studio.web.publishing import PublishingApi
from studio.web.request_log import RequestLog
from studio.web.resources import ResourcesApi
from studio.web.scoring import ScoringApp, is_scoring

_NEWS_EVERY_S = 0.5  # a PATCH on another replica is served here within a second
_SHARED_EVERY_S = 1.0

_log = logging.getLogger(__name__)


def create_app(service: Service) -> ASGIApp:
    """Make the application; its lifespan prepares storage and follows the catalog."""
    folder = os.environ.get(FOLDER)
    guard = KeyGuard()
    calls = Calls(Doors(service.registry, service.settings.workspace_token, guard))
    addresses = Addresses(service.settings.url)
    metrics = Metrics(
        lambda: service.registry.catalog, JobOverview(service.storage.jobs), Path(folder) if folder else None
    )

    def show_metrics(call: Call) -> Response:
        call.require_workspace_token()
        return Response(metrics.written(), media_type=CONTENT_TYPE)

    routes = [
        *BatchApi(service.batches, service.experiments, service.blobs).routes(calls),
        *ManagementApi(service.endpoints, service.registry, service.artifacts, service.blobs, addresses).routes(calls),
        *ResourcesApi(
            service.endpoints,
            service.deployment,
            service.experiments,
            service.registry,
            service.artifacts,
            service.blobs,
            addresses,
        ).routes(calls),
        *PublishingApi(_publishing(service), service.catalog, service.registry, addresses).routes(calls),
        *DescriptionApi(service.experiments, addresses).routes(calls),
        *HelpApi(service.experiments, addresses).routes(calls),
        *_health_routes(service),
        Route("/metrics", calls(show_metrics)),
        *openapi_routes(calls),
    ]
    pages = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _unrouted},
        lifespan=lambda app: _following(service, metrics),
    )
    log = RequestLog(as_json=bool(service.settings.operation.log_json))
    return Observed(_Front(ScoringApp(service.registry, guard), pages), metrics, log)


def _publishing(service: Service) -> Publishing:
    return Publishing(service.catalog, service.artifacts, service.experiments, service.batches, service.blobs)


class _Front:
    """Sends scoring to its bare callable and everything else to the routes."""

    def __init__(self, scoring: ASGIApp, pages: ASGIApp) -> None:
        self._scoring = scoring
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._scoring if is_scoring(scope) else self._pages
        await app(scope, receive, send)


def _unrouted(request: Request, error: Exception) -> Response:
    return fault_response(error)


def _health_routes(service: Service) -> list[BaseRoute]:
    async def live(request: Request) -> Response:
        return json_response({"status": "live"})

    async def ready(request: Request) -> Response:
        if service.registry.is_ready:
            return json_response({"status": "ready", "problems": service.registry.problems})
        return json_response({"status": "starting", "reason": "the catalog was not read yet"}, 503)

    return [Route("/health/live", live), Route("/health/ready", ready)]


@contextlib.asynccontextmanager
async def _following(service: Service, metrics: Metrics) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(_follow(service)), asyncio.create_task(_share(metrics))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _follow(service: Service) -> None:
    """Prepare storage, then look for news for ever; an outage is logged when it begins and when it ends."""
    prepared = answering = False
    while True:
        try:
            if not prepared:
                await asyncio.to_thread(service.storage.prepare)
                prepared = True
            if await asyncio.to_thread(service.registry.refresh):
                event(_log, "catalog.taken_over", version=service.registry.catalog.version)
            if not answering:
                event(_log, "storage.answered")
            answering = True
        except Exception as error:  # scoring goes on from memory whatever storage says
            if answering or not prepared:
                event(_log, "storage.failed", level=logging.ERROR, reason=_first_line(error))
            answering = False
        await asyncio.sleep(_NEWS_EVERY_S)


async def _share(metrics: Metrics) -> None:
    """Leave the counts to the other serving processes, for ever; they need them to answer a scrape."""
    while metrics.is_shared:
        metrics.share()
        await asyncio.sleep(_SHARED_EVERY_S)


def _first_line(error: Exception) -> str:
    line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {line[:200]}"
