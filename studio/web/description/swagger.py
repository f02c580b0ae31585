"""An endpoint's own description, Swagger 2.0, in the shape that clients of the classic service read. Needs no key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from studio.batch.job_ports import JobPorts, job_ports
from studio.engine.experiment import Experiment
from studio.engine.parameters import Parameters
from studio.engine.schema import ColumnType
from studio.publications.experiments import Experiments
from studio.services.addresses import Addresses
from studio.serving.registry import Served
from studio.serving.scoring import OUTPUT_NAME, output_columns
from studio.web.calls import Call, Calls, json_response

Document = dict[str, Any]
Columns = Sequence[tuple[str, str]]

_VERSION = "api-version=2.0"
_JSON_TYPES = {
    "Int32": ({"type": "integer", "format": "int32"}, 1),
    "Double": ({"type": "number", "format": "double"}, 1.0),
    "Boolean": ({"type": "boolean"}, True),
    "String": ({"type": "string"}, ""),
}


class DescriptionApi:
    """The handlers of `swagger.json`, by the endpoint's API address and by its management address."""

    def __init__(self, experiments: Experiments, addresses: Addresses) -> None:
        self._experiments = experiments
        self._addresses = addresses

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes."""
        owners = ("workspaces", "subscriptions")
        by_guid = "workspaces/{owner}/webservices/{service}/endpoints/{endpoint}/apidocument"
        return [
            *(Route(f"/{o}/{{owner}}/services/{{endpoint}}/swagger.json", calls(self.describe)) for o in owners),
            Route(f"/{by_guid}", calls(self.describe)),
            Route(f"/apihelp/{by_guid}", calls(self.describe)),  # HelpLocation, with what clients append to it
        ]

    def describe(self, call: Call) -> Response:
        """Answer with the document."""
        served = call.open_endpoint()
        experiment = self._experiments.get(served.service.experiment)
        return json_response(document(served, experiment, self._addresses.api(served.endpoint)))


def document(served: Served, experiment: Experiment, address: str) -> Document:
    """Describe one endpoint; `address` is its ApiLocation."""
    parts = urlsplit(address)
    return {
        "swagger": "2.0",
        "info": {"version": "2.0", "title": served.service.name, "description": served.service.description},
        "host": parts.netloc,
        "basePath": parts.path,
        "schemes": [parts.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"Bearer": {"type": "apiKey", "name": "Authorization", "in": "header"}},
        "paths": {**_scoring_paths(), **_batch_paths()},
        "definitions": {
            **_scoring_definitions(served, experiment),
            **_batch_definitions(job_ports(served.service.kind, experiment)),
        },
    }


def _scoring_paths() -> Document:
    def execute(identifier: str) -> Document:
        body = {"name": "executionPayload", "in": "body", "required": True, "schema": _ref("ExecutionRequest")}
        return {"post": _operation(identifier, "Scores rows", [body], {"200": _answer("ExecutionResults")})}

    return {
        f"/execute?{_VERSION}&format=swagger": execute("execute"),
        f"/execute?{_VERSION}&details=true&format=swagger": execute("executeWithDetails"),
    }


def _batch_paths() -> Document:
    job = {"name": "jobId", "in": "path", "required": True, "type": "string"}
    body = {"name": "jobPayload", "in": "body", "required": True, "schema": _ref("BatchExecutionRequest")}
    job_id = {"200": {"description": "Job id", "schema": {"type": "string"}}}
    done = {"204": {"description": "Done"}}
    status = {"200": _answer("BatchExecutionStatus")}
    return {
        f"/jobs?{_VERSION}": {"post": _operation("submitjob", "Submits a job", [body], job_id)},
        f"/jobs/{{jobId}}/start?{_VERSION}": {"post": _operation("startjob", "Starts a job", [job], done)},
        f"/jobs/{{jobId}}?{_VERSION}": {
            "get": _operation("getjobstatus", "Gets a job's status", [job], status),
            "delete": _operation("canceljob", "Cancels or deletes a job", [job], done),
        },
    }


def _operation(identifier: str, summary: str, parameters: list[Document], responses: Document) -> Document:
    return {
        "operationId": identifier,
        "summary": summary,
        "parameters": parameters,
        "responses": {**responses, "default": _answer("ErrorResponse")},
        "security": [{"Bearer": []}],
    }


def _scoring_definitions(served: Served, experiment: Experiment) -> Document:
    inputs = _wire_types(experiment.columns)
    outputs = output_columns(served)
    name = experiment.input_name
    return {
        "ExecutionRequest": {
            **_object({"Inputs": _ref("ExecutionInputs"), "GlobalParameters": _ref("GlobalParameters")}),
            "example": {"Inputs": {name: [_example(inputs)]}, "GlobalParameters": {}},
        },
        "ExecutionInputs": _object({name: _list_of(_ref(f"{name}Item"))}),
        "ExecutionResults": _object({"Results": _ref("ExecutionOutputs")}),
        "ExecutionOutputs": _object({OUTPUT_NAME: _list_of(_ref(f"{OUTPUT_NAME}Item"))}),
        f"{name}Item": _item(inputs),
        f"{OUTPUT_NAME}Item": _item(outputs),
    }


def _batch_definitions(ports: JobPorts) -> Document:
    reference = _ref("AzureBlobDataReference")
    texts = ("ConnectionString", "RelativeLocation", "BaseLocation", "SasBlobToken")
    detail = _object({"code": {"type": "string"}, "message": {"type": "string"}})
    return {
        "GlobalParameters": _parameters(ports.parameters),
        "BatchExecutionRequest": _object(
            {
                "Inputs": _ref("BatchInputs"),
                "Outputs": _ref("BatchOutputs"),
                "GlobalParameters": _ref("GlobalParameters"),
            }
        ),
        "BatchInputs": _object({ports.input_name: reference}),
        "BatchOutputs": _object(dict.fromkeys(ports.outputs, reference)),
        "BatchExecutionStatus": _object(
            {
                "StatusCode": {
                    "type": "string",
                    "enum": ["NotStarted", "Running", "Failed", "Cancelled", "Finished"],
                },
                "Results": {"type": "object", "additionalProperties": reference},
                "Details": {"type": "string"},
            }
        ),
        "AzureBlobDataReference": _object({name: {"type": "string"} for name in texts}),
        "ErrorResponse": _object(
            {"error": _object({"code": {"type": "string"}, "message": {"type": "string"}, "details": _list_of(detail)})}
        ),
    }


def _parameters(parameters: Parameters) -> Document:
    """Name the web service parameters with their defaults; one without is required."""
    defaults = parameters.defaults
    described = _object(
        {
            name: {"type": "string"} if default is None else {"type": "string", "default": default}
            for name, default in defaults.items()
        }
    )
    required = [name for name, default in defaults.items() if default is None]
    return {**described, "required": required} if required else described


def _wire_types(columns: Mapping[str, ColumnType]) -> Columns:
    return [(name, kind.wire_name) for name, kind in columns.items()]


def _item(columns: Columns) -> Document:
    return _object({name: _JSON_TYPES[kind][0] for name, kind in columns})


def _example(columns: Columns) -> Document:
    return {name: _JSON_TYPES[kind][1] for name, kind in columns}


def _object(properties: Document) -> Document:
    return {"type": "object", "properties": properties}


def _list_of(items: Document) -> Document:
    return {"type": "array", "items": items}


def _ref(name: str) -> Document:
    return {"$ref": f"#/definitions/{name}"}


def _answer(name: str) -> Document:
    return {"description": "Answer", "schema": _ref(name)}
