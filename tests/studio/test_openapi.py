"""The OpenAPI description: it names every route, and the service keeps to it whatever it is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
from studio.web.news import News
from studio.web.pages import pages

MAX_EXAMPLES = 8
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
# What deletes has a publication of its own, and in this order something to delete each time.
DESTRUCTIVE = ["delete_endpoint", "delete_resource", "delete_service"]
N_SPARE_ENDPOINTS = 5


def operations() -> Iterator[tuple[str, str, str]]:
    """Path, method and name of each."""
    for path, item in openapi_document()["paths"].items():
        if path.startswith("/subscriptions/{owner}/"):  # the handlers of /workspaces/{owner}, under another name
            continue
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation["summary"].lower().replace(" ", "_")


HARMLESS = [(path, method) for path, method, name in operations() if name not in DESTRUCTIVE]
DELETING = sorted((DESTRUCTIVE.index(name), path) for path, _, name in operations() if name in DESTRUCTIVE)


def narrowed(published: Published) -> dict[str, Any]:
    """The description as served, its path parameters limited to what is there and to what is not."""
    served: dict[str, Any] = published.client.get("/openapi.json").raise_for_status().json()
    known = known_values(published)
    for item in served["paths"].values():
        for parameter in item.get("parameters", []):
            parameter["schema"]["enum"] = known[parameter["name"]]
    inputs = served["components"]["schemas"]["ScoringRequest"]["properties"]["Inputs"]
    inputs |= {"properties": {"input1": inputs.pop("additionalProperties")}, "required": ["input1"]}
    return served


@pytest.fixture(scope="module")
def document(standing: Published) -> dict[str, Any]:
    return narrowed(standing)


@pytest.fixture(scope="module")
def spare(doomed: Published) -> Published:
    """A publication with more endpoints than anybody needs."""
    management = doomed.endpoint("live")["management_url"].rpartition("/")[0]
    for number in range(N_SPARE_ENDPOINTS):
        doomed.client.put(f"{management}/spare{number}", headers=bearer(TOKEN), json={}).raise_for_status()
    return doomed


def known_values(published: Published) -> dict[str, list[str]]:
    endpoints = list(published.service.registry.catalog.endpoints)
    services = list(published.service.registry.catalog.services)
    workspace, absent = published.json["workspace"], "0" * 32
    return {
        "owner": [workspace],
        "subscription": [workspace],
        "endpoint": endpoints,
        "service": services,
        "name": [
            *published.json["predictive"]["endpoints"],
            *(f"spare{n}" for n in range(N_SPARE_ENDPOINTS)),
            *services,
        ],
        "job": [absent, "no-job"],
        "group": ["rg"],
        "location": ["local"],
        "operation": ["0" * 54, "x"],
        "activity": ["0" * 64, "x"],
    }


def key_for(published: Published, case: Any) -> str:
    """Choose the key that opens an operation: where nothing fits, the workspace token."""
    endpoint = published.service.registry.catalog.endpoints.get(case.path_parameters.get("endpoint", ""))
    is_keyed = "/services/" in case.path and endpoint is not None
    return endpoint.primary_key.reveal() if is_keyed and endpoint else TOKEN


@pytest.fixture(autouse=True)
def fresh_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints that are not the workspace's are asked with its token: many wrong keys are the test's own doing."""
    monkeypatch.setattr("studio.web.key_guard.MAX_WRONG_KEYS", 10**6)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), HARMLESS)
def test_the_service_keeps_to_its_description(
    standing: Published, document: dict[str, Any], path: str, method: str, mode: GenerationMode
) -> None:
    send_cases(standing, document, path, method, mode)


@pytest.mark.parametrize("path", [path for _, path in DELETING])
def test_the_service_keeps_to_its_description_of_what_deletes(spare: Published, path: str) -> None:
    document = narrowed(spare)

    statuses = [status for mode in MODES for status in send_cases(spare, document, path, "delete", mode)]

    assert {200, 202, 204} & set(statuses), statuses


def send_cases(
    published: Published, document: dict[str, Any], path: str, method: str, mode: GenerationMode
) -> list[int]:
    """Send what the description allows, or what it does not, hold each answer against it, and return the statuses."""
    statuses = []
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
        headers = bearer(key_for(published, case))
        response = case.call(base_url=published.service.settings.url, headers=headers, timeout=30)
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    send()
    return statuses


def test_every_route_is_described_and_every_description_is_a_route(standing: Published) -> None:
    metrics = Metrics(Catalog, lambda: JobOverview(standing.service.storage.jobs))
    app = pages(standing.service, KeyGuard(), metrics, News(standing.service.registry))
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
