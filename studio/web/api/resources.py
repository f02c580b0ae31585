"""
The resource of a new-style web service, as Azure Resource Manager addressed it; the workspace is the subscription.

Operations are complete when they are answered, but carry the `Azure-AsyncOperation` header that clients follow.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.wire import BlobReference, Body
from studio.blobs.blob_access import BlobAccess
from studio.errors import BadArgument, NotFound
from studio.publications.definition import definition, read_definition
from studio.publications.deployment import Deployment
from studio.publications.experiments import Experiments
from studio.services.addresses import Addresses
from studio.services.catalog import DEFAULT_ENDPOINT, Endpoint, WebService
from studio.services.endpoints import Endpoints
from studio.services.keys import is_id, new_id
from studio.serving.registry import Registry
from studio.serving.scoring import output_columns
from studio.store.artifacts import ArtifactKind, Artifacts
from studio.web.calls import MAX_DEFINITION_BYTES, Call, Calls, json_response

_PROVIDER = "/providers/Microsoft.MachineLearning"
_LOCATION = "local"
_OPERATION = re.compile(r"([0-9a-f]{11})([0-9a-f]{11})[0-9a-f]{32}")


class ResourcesApi:
    """The handlers; the workspace token opens all of it, for there is no Azure AD here."""

    def __init__(
        self,
        endpoints: Endpoints,
        deployment: Deployment,
        experiments: Experiments,
        registry: Registry,
        artifacts: Artifacts,
        blobs: BlobAccess,
        addresses: Addresses,
    ) -> None:
        self._endpoints = endpoints
        self._deployment = deployment
        self._experiments = experiments
        self._registry = registry
        self._artifacts = artifacts
        self._blobs = blobs
        self._addresses = addresses

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes."""
        subscription = "/subscriptions/{subscription}"
        group = f"{subscription}/resourceGroups/{{group}}{_PROVIDER}/webServices"
        return [
            Route(f"{subscription}{_PROVIDER}/webServices", calls(self.list_all), methods=["GET"]),
            Route(group, calls(self.list_all), methods=["GET"]),
            Route(f"{group}/{{name}}/listKeys", calls(self.list_keys), methods=["GET", "POST"]),
            Route(f"{group}/{{name}}", calls(self.show), methods=["GET"]),
            Route(f"{group}/{{name}}", calls(self.create, max_bytes=MAX_DEFINITION_BYTES), methods=["PUT"]),
            Route(f"{group}/{{name}}", calls(self.update, max_bytes=MAX_DEFINITION_BYTES), methods=["PATCH"]),
            Route(f"{group}/{{name}}", calls(self.delete), methods=["DELETE"]),
            Route(
                f"{subscription}{_PROVIDER}/locations/{{location}}/operations/{{operation}}",
                calls(self.operation),
                methods=["GET"],
            ),
        ]

    def list_all(self, call: Call) -> Response:
        """List the subscription's web services; every resource group holds them all."""
        self._admit(call)
        if call.query("$skiptoken"):
            raise BadArgument("InvalidQueryParameter", "$skiptoken: this list has one page, whose nextLink is null")
        services = sorted(self._registry.catalog.services.values(), key=lambda service: service.created_at)
        found = [self._to_wire(call, service, default) for service in services if (default := self._default(service))]
        return json_response({"value": found, "nextLink": None})

    def show(self, call: Call) -> Response:
        """Show one web service."""
        return json_response(self._to_wire(call, *self._found(call)))

    def list_keys(self, call: Call) -> Response:
        """Show both keys."""
        _, default = self._found(call)
        return json_response({"primary": default.primary_key.reveal(), "secondary": default.secondary_key.reveal()})

    def update(self, call: Call) -> Response:
        """Change what the definition in the body changes, a new model above all."""
        started = datetime.now(UTC)
        service, default = self._found(call)
        changed = self._endpoints.redefine(service, default, read_definition(call.json(), service))
        return self._followed(call, json_response(self._to_wire(call, service, changed)), started)

    def create(self, call: Call) -> Response:
        """Make a web service out of the model that the definition names, or change the one of that name."""
        started = datetime.now(UTC)
        try:
            self._found(call)
        except NotFound:
            self._admit(call)
            service, default = self._deployment.create(
                str(self._registry.catalog.workspace), call.path("name"), call.json()
            )
            return self._followed(call, json_response(self._to_wire(call, service, default), 201), started)
        return self.update(call)

    def delete(self, call: Call) -> Response:
        """Delete a web service; one that is not there answers 204."""
        started = datetime.now(UTC)
        try:
            service, _ = self._found(call)
        except NotFound:
            return Response(status_code=204)
        self._endpoints.delete_service(service)
        return self._followed(call, Response(status_code=202), started)

    def operation(self, call: Call) -> Response:
        """Show a long-running operation. Whatever got an id had succeeded by then, and the id holds its times."""
        self._admit(call)
        name = call.path("operation")
        times = _OPERATION.fullmatch(name)
        if times is None:
            raise NotFound("WebServiceNotFound", "no such operation; follow the header Azure-AsyncOperation")
        started, ended = (_instant(int(digits, 16)) for digits in times.groups())
        return json_response(
            {
                "id": self._operation_path(call, name),
                "name": name,
                "status": "Succeeded",
                "provisioningState": "Succeeded",
                "startTime": started,
                "endTime": ended,
                "percentComplete": 100,
                "errorInfo": None,
            }
        )

    def _admit(self, call: Call) -> None:
        call.require_workspace_token()
        subscription = _as_id(call.path("subscription"))
        if not is_id(subscription):
            raise BadArgument("BadSubscriptionId", "a subscription has 32 hex digits; here it is the workspace's id")
        if subscription != self._registry.catalog.workspace:
            raise NotFound("WorkspaceNotFound", "no such subscription; here it is the workspace's id")

    def _found(self, call: Call) -> tuple[WebService, Endpoint]:
        """Find a web service by its name or id, with the endpoint that stands for it."""
        self._admit(call)
        name, catalog = call.path("name"), self._registry.catalog
        service = catalog.service_named(name) or catalog.services.get(_as_id(name))
        default = self._default(service) if service else None
        if service is None or default is None:
            raise NotFound("WebServiceNotFound", f"no web service '{name}'; give its name or its id")
        call.note(service=service.name)
        return service, default

    def _default(self, service: WebService) -> Endpoint | None:
        return self._registry.catalog.endpoint_named(service.id, DEFAULT_ENDPOINT)

    def _to_wire(self, call: Call, service: WebService, default: Endpoint) -> Body:
        inputs, outputs = self._columns(service, default)
        properties = definition(service, default, inputs, outputs, self._model(default))
        return {
            "id": f"{self._group(call)}/webServices/{quote(service.name)}",
            "name": service.name,
            "type": "Microsoft.MachineLearning/webServices",
            "location": _LOCATION,
            "tags": {},
            "properties": {**properties, "swaggerLocation": f"{self._addresses.api(default)}/swagger.json"},
        }

    def _model(self, default: Endpoint) -> BlobReference | None:
        if not default.model:
            return None
        place = self._artifacts.reference(ArtifactKind.MODEL, default.model)
        return self._blobs.result(place, datetime.now(UTC))

    def _columns(self, service: WebService, default: Endpoint) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        columns = self._experiments.get(service.experiment).columns
        served = self._registry.find(default.id)
        outputs = output_columns(served) if served else ()
        return [(name, kind.wire_name) for name, kind in columns.items()], list(outputs)

    def _followed(self, call: Call, answer: Response, started: datetime) -> Response:
        name = "".join(f"{int(time.timestamp() * 1000):011x}" for time in (started, datetime.now(UTC))) + new_id()
        answer.headers["Azure-AsyncOperation"] = self._addresses.absolute(self._operation_path(call, name))
        return answer

    def _operation_path(self, call: Call, name: str) -> str:
        return f"/subscriptions/{call.path('subscription')}{_PROVIDER}/locations/{_LOCATION}/operations/{name}"

    def _group(self, call: Call) -> str:
        group = quote(call.path("group")) if call.has_path("group") else "default"
        return f"/subscriptions/{call.path('subscription')}/resourceGroups/{group}{_PROVIDER}"


def _as_id(text: str) -> str:
    """Subscriptions are written with dashes or without."""
    return text.replace("-", "").lower()


def _instant(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
