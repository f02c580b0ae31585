"""The description of the whole service, OpenAPI 3.1: every operation, its bodies, its answers, who may call it."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from studio.web.calls import Call, Calls, json_response
from studio.web.description.schemas import SCHEMAS
from studio.web.metrics import CONTENT_TYPE

Document = dict[str, Any]

_ENDPOINT_KEY: Document = {"endpointKey": []}
_WORKSPACE_TOKEN: Document = {"workspaceToken": []}
_SCORING = "/{owners}/{owner}/services/{endpoint}"
_SERVICE = "/workspaces/{owner}/webservices/{service}"
_ENDPOINT = f"{_SERVICE}/endpoints/{{name}}"
_PROVIDER = "/providers/Microsoft.MachineLearning"
_RESOURCES = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}{_PROVIDER}/webServices"
_EXPERIMENTS = "/workspaces/{owner}/experiments"
_HELP = "/apihelp/workspaces/{owner}/webservices/{service}/endpoints/{endpoint}"


def openapi_routes(calls: Calls) -> list[BaseRoute]:
    """List the route of the description, which needs no key."""
    description = openapi_document()

    def describe_service(call: Call) -> Response:
        return json_response(description)

    return [Route("/openapi.json", calls(describe_service))]


def openapi_document() -> Document:
    """Write the description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Studio-compatible web service",
            "version": "2.0",
            "description": "The protocol of Azure Machine Learning Studio (classic); docs/protocol.md explains it.",
        },
        "paths": {path: _with_parameters(path, item) for path, item in _paths().items()},
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "endpointKey": {"type": "http", "scheme": "bearer", "description": "One of an endpoint's two keys"},
                "workspaceToken": {"type": "http", "scheme": "bearer", "description": "STUDIO_WORKSPACE_TOKEN"},
            },
        },
    }


def _paths() -> Document:
    return {**_batch(), **_scoring(), **_management(), **_resources(), **_publishing(), **_open_pages()}


def _with_parameters(path: str, item: Document) -> Document:
    parts = re.findall(r"\{(\w+)\}", path)
    named = [{"name": part, "in": "path", "required": True, "schema": {"type": "string"}} for part in parts]
    return {"parameters": named, **item} if named else item


def _batch() -> Document:
    job = f"{_SCORING}/jobs/{{job}}"
    return _for_both_owners(
        {
            f"{_SCORING}/jobs": {"post": _by_key("submit", {"200": _json("JobId")}, body="BatchExecutionRequest")},
            job: {
                "get": _by_key("status", {"200": _json("BatchExecutionStatus")}),
                "delete": _by_key("delete", {"204": _EMPTY}),
            },
            f"{job}/start": {"post": _by_key("start", {"204": _EMPTY})},
        }
    )


def _scoring() -> Document:
    choice = [_query("details", ["true", "false"]), _query("format", ["swagger"])]
    execute = _by_key("score", {"200": _json("ScoringAnswer")}, body="ScoringRequest", parameters=choice)
    describe = _operation("describe", {"200": _json("Object")}, [])
    return _for_both_owners({f"{_SCORING}/execute": {"post": execute}, f"{_SCORING}/swagger.json": {"get": describe}})


def _management() -> Document:
    either = [_ENDPOINT_KEY, _WORKSPACE_TOKEN]
    refreshed = {"200": _json("Endpoint"), "304": _EMPTY}
    made = {"200": _json("Endpoint"), "201": _json("Endpoint")}
    describe = {"get": _operation("describe", {"200": _json("Object")}, [])}
    return {
        "/workspaces/{owner}/webservices": {"get": _by_token("list_services", {"200": _list_of("WebService")})},
        _SERVICE: {
            "get": _by_token("get_service", {"200": _json("WebService")}),
            "put": _by_token("publish_code", {}, body="Object"),
            "delete": _by_token("delete_service", {"204": _EMPTY}),
        },
        f"{_SERVICE}/endpoints": {"get": _by_token("list_endpoints", {"200": _list_of("Endpoint")})},
        _ENDPOINT: {
            "get": _operation("get_endpoint", {"200": _json("Endpoint")}, either),
            "put": _by_token("create_endpoint", made, body="EndpointProperties"),
            "patch": _operation("update_endpoint", {"204": _EMPTY}, either, body="EndpointUpdate"),
            "delete": _operation("delete_endpoint", {"204": _EMPTY}, either),
        },
        f"{_ENDPOINT}/refresh": {"post": _operation("refresh_endpoint", refreshed, either, body="Refresh")},
        f"{_SERVICE}/endpoints/{{endpoint}}/apidocument": describe,
        f"/apihelp{_SERVICE}/endpoints/{{endpoint}}/apidocument": describe,
    }


def _resources() -> Document:
    one = f"{_RESOURCES}/{{name}}"
    operation = f"/subscriptions/{{subscription}}{_PROVIDER}/locations/{{location}}/operations/{{operation}}"
    keys = {"200": _json("Keys")}
    return {
        f"/subscriptions/{{subscription}}{_PROVIDER}/webServices": {
            "get": _by_token("list_all", {"200": _json("ResourceList")})
        },
        _RESOURCES: {"get": _by_token("list_all", {"200": _json("ResourceList")})},
        f"{one}/listKeys": {"get": _by_token("list_keys", keys), "post": _by_token("list_keys", keys)},
        one: {
            "get": _by_token("show", {"200": _json("Resource")}),
            "put": _by_token("create", {"200": _json("Resource"), "201": _json("Resource")}, body="ResourceUpdate"),
            "patch": _by_token("update", {"200": _json("Resource")}, body="ResourceUpdate"),
            "delete": _by_token("delete_resource", {"202": _EMPTY, "204": _EMPTY}),
        },
        operation: {"get": _by_token("operation", {"200": _json("Operation")})},
    }


def _publishing() -> Document:
    return {
        _EXPERIMENTS: {"post": _by_token("begin_publication", {"202": _json("Activity")}, body="ExperimentToPublish")},
        f"{_EXPERIMENTS}/{{activity}}": {"get": _by_token("show_publication", {"200": _json("Activity")})},
        f"{_EXPERIMENTS}/{{activity}}/webservice": {
            "post": _by_token("complete_publication", {"200": _json("Object")}, body="EndpointNames")
        },
    }


def _open_pages() -> Document:
    page = {"get": _operation("help", {"200": _text("text/html; charset=utf-8")}, [])}
    state = {"200": _json("Object"), "503": _json("Object")}
    assets = {"help.css": "text/css; charset=utf-8", "form.js": "text/javascript; charset=utf-8"}
    return {
        **{f"{_HELP}{suffix}": page for suffix in ("", "/score", "/jobs", "/update")},
        **{f"/apihelp/{n}": {"get": _operation("asset", {"200": _text(kind)}, [])} for n, kind in assets.items()},
        "/health/live": {"get": _operation("live", {"200": _json("Object")}, [])},
        "/health/ready": {"get": _operation("ready", state, [])},
        "/metrics": {"get": _by_token("show_metrics", {"200": _text(CONTENT_TYPE)})},
        "/openapi.json": {"get": _operation("describe_service", {"200": _json("Object")}, [])},
    }


_EMPTY = {"description": "Done; no body"}


def _by_key(name: str, answers: Document, **parts: Any) -> Document:
    return _operation(name, answers, [_ENDPOINT_KEY], **parts)


def _by_token(name: str, answers: Document, **parts: Any) -> Document:
    return _operation(name, answers, [_WORKSPACE_TOKEN], **parts)


def _operation(
    name: str,
    answers: Document,
    security: list[Document],
    *,
    body: str | None = None,
    parameters: list[Document] | None = None,
) -> Document:
    described: Document = {
        "summary": name.replace("_", " ").capitalize(),
        "security": security,
        "parameters": [_query("api-version", ["2.0"]), *(parameters or [])],
        "responses": {**answers, "4XX": _json("Error"), "503": answers.get("503", _json("Error"))},
    }
    if body:
        described["requestBody"] = {"content": {"application/json": {"schema": _ref(body)}}}
    return described


def _for_both_owners(paths: Document) -> Document:
    owners = ("workspaces", "subscriptions")
    return {path.replace("{owners}", owner): item for owner in owners for path, item in paths.items()}


def _query(name: str, values: list[str]) -> Document:
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string", "enum": values}}


def _json(schema: str) -> Document:
    return {"description": schema, "content": {"application/json; charset=utf-8": {"schema": _ref(schema)}}}


def _list_of(schema: str) -> Document:
    content = {"schema": {"type": "array", "items": _ref(schema)}}
    return {"description": f"List of {schema}", "content": {"application/json; charset=utf-8": content}}


def _text(media_type: str) -> Document:
    return {"description": "Text", "content": {media_type: {"schema": {"type": "string"}}}}


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
