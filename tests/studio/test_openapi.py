"""The OpenAPI description: it names every route, and the service keeps to it whatever it is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from exchanges import TOKEN, Published, bearer
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from studio.services.catalog import Catalog
from studio.store.job_overview import JobOverview
from studio.web.description.openapi import openapi_document
from studio.web.health import PATHS
from studio.web.key_guard import KeyGuard
from studio.web.metrics import Metrics
from studio.web.pages import pages

MAX_EXAMPLES = 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Deleting what all tests share would make the rest of the run a test of 404.
DESTRUCTIVE = {("delete", "delete_service"), ("delete", "delete_endpoint"), ("delete", "delete_resource")}


def operations() -> Iterator[tuple[str, str]]:
    for path, item in openapi_document()["paths"].items():
        if path.startswith("/subscriptions/{owner}/"):  # the handlers of /workspaces/{owner}, under another name
            continue
        for method, operation in item.items():
            if method != "parameters":
                name = operation["summary"].lower().replace(" ", "_")
                if (method, name) not in DESTRUCTIVE:
                    yield path, method


@pytest.fixture(scope="module")
def document(standing: Published) -> dict[str, Any]:
    """The description as served, its path parameters limited to what is there and to what is not."""
    served: dict[str, Any] = standing.client.get("/openapi.json").raise_for_status().json()
    known = known_values(standing)
    for item in served["paths"].values():
        for parameter in item.get("parameters", []):
            parameter["schema"]["enum"] = known[parameter["name"]]
    inputs = served["components"]["schemas"]["ScoringRequest"]["properties"]["Inputs"]
    inputs |= {"properties": {"input1": inputs.pop("additionalProperties")}, "required": ["input1"]}
    return served


def known_values(standing: Published) -> dict[str, list[str]]:
    endpoints = list(standing.service.registry.catalog.endpoints)
    services = list(standing.service.registry.catalog.services)
    workspace, absent = standing.json["workspace"], "0" * 32
    return {
        "owner": [workspace],
        "subscription": [workspace],
        "endpoint": endpoints,
        "service": services,
        "name": ["live", "staging", *services],
        "job": [absent, "no-job"],
        "group": ["rg"],
        "location": ["local"],
        "operation": ["0" * 54, "x"],
        "activity": ["0" * 64, "x"],
    }


@pytest.fixture(scope="module")
def key_for(standing: Published) -> Callable[[Any], str]:
    """Choose the key that opens an operation: where nothing fits, the workspace token."""

    def choose(case: Any) -> str:
        endpoint = standing.service.registry.catalog.endpoints.get(case.path_parameters.get("endpoint", ""))
        is_keyed = "/services/" in case.path and endpoint is not None
        return endpoint.primary_key.reveal() if is_keyed and endpoint else TOKEN

    return choose


@pytest.fixture(autouse=True)
def fresh_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints that are not the workspace's are asked with its token: many wrong keys are the test's own doing."""
    monkeypatch.setattr("studio.web.key_guard.MAX_WRONG_KEYS", 10**6)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), list(operations()))
def test_the_service_keeps_to_its_description(
    standing: Published,
    document: dict[str, Any],
    key_for: Callable[[Any], str],
    path: str,
    method: str,
    mode: GenerationMode,
) -> None:
    operation = schemathesis.openapi.from_dict(document)[path][method]

    @settings(
        max_examples=MAX_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        response = case.call(base_url=standing.service.settings.url, headers=bearer(key_for(case)), timeout=30)
        case.validate_response(response, checks=CHECKS)

    send()


def test_every_route_is_described_and_every_description_is_a_route(standing: Published) -> None:
    metrics = Metrics(Catalog, lambda: JobOverview(standing.service.storage.jobs))
    app = pages(standing.service, KeyGuard(), metrics)
    routes = {(m, r.path) for r in app.routes if isinstance(r, Route) for m in (r.methods or ())}
    paths = openapi_document()["paths"]
    described = {(method.upper(), path) for path, item in paths.items() for method in item if method != "parameters"}
    scoring = {
        ("POST", f"/{owner}/{{owner}}/services/{{endpoint}}/execute") for owner in ("workspaces", "subscriptions")
    }

    answered = {(method, path) for method, path in routes if method != "HEAD"} | {("GET", path) for path in PATHS}

    assert described - scoring == answered
    assert scoring <= described


def test_every_reference_leads_somewhere() -> None:
    text = str(openapi_document())

    named = set(re.findall(r"#/components/schemas/(\w+)", text))

    assert len(named) > 20
    assert named <= set(openapi_document()["components"]["schemas"])
