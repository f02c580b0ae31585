"""The routes of the protocol that are not scoring: batch, management, publication, descriptions, help, metrics."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from studio.bootstrap import Service
from studio.publications.publishing import Publishing
from studio.services.addresses import Addresses
from studio.web.api.batch import BatchApi
from studio.web.api.management import ManagementApi
from studio.web.api.publishing import PublishingApi
from studio.web.api.resources import ResourcesApi
from studio.web.calls import Call, Calls, Doors, fault_response
from studio.web.description.openapi import openapi_routes
from studio.web.description.swagger import DescriptionApi
from studio.web.help.pages import HelpApi
from studio.web.key_guard import KeyGuard
from studio.web.metrics import CONTENT_TYPE, Metrics
from studio.web.news import News


def pages(service: Service, guard: KeyGuard, metrics: Metrics, news: News) -> Starlette:
    """Make the application."""
    calls = Calls(Doors(service.registry, service.settings.workspace_token, guard, news))
    addresses = Addresses(service.settings.url)

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
        *PublishingApi(_publishing(service), service.store, service.registry, addresses).routes(calls),
        *DescriptionApi(service.experiments, addresses).routes(calls),
        *HelpApi(service.experiments, addresses).routes(calls),
        Route("/metrics", calls(show_metrics)),
        *openapi_routes(calls),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _unrouted})
    app.router.redirect_slashes = False  # a redirect would have the caller's key sent once more, maybe without TLS
    return app


def _publishing(service: Service) -> Publishing:
    return Publishing(service.store, service.artifacts, service.experiments, service.batches, service.blobs)


def _unrouted(request: Request, error: Exception) -> Response:
    return fault_response(error)
