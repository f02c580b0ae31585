"""Endpoint management: web services and endpoints, listed, created, updated, deleted."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared import wire
from shared.errors import shape_of
from studio.blobs.blob_access import BlobAccess
from studio.errors import BadArgument, NotFound
from studio.services.addresses import Addresses
from studio.services.catalog import DEFAULT_ENDPOINT, Catalog, Endpoint, WebService
from studio.services.endpoint_change import EndpointChange
from studio.services.endpoints import Endpoints
from studio.serving.registry import Registry
from studio.store.artifacts import ArtifactKind, Artifacts
from studio.web.calls import Call, Calls, empty_response, json_response


class ManagementApi:
    """The handlers. The workspace token opens all of it, an endpoint's own key that endpoint."""

    def __init__(
        self, endpoints: Endpoints, registry: Registry, artifacts: Artifacts, blobs: BlobAccess, addresses: Addresses
    ) -> None:
        self._endpoints = endpoints
        self._registry = registry
        self._artifacts = artifacts
        self._blobs = blobs
        self._addresses = addresses

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes."""
        services = "/workspaces/{owner}/webservices"
        endpoints = f"{services}/{{service}}/endpoints"
        return [
            Route(services, calls(self.list_services), methods=["GET"]),
            Route(f"{services}/{{service}}", calls(self.get_service), methods=["GET"]),
            Route(f"{services}/{{service}}", calls(self.publish_code), methods=["PUT"]),
            Route(f"{services}/{{service}}", calls(self.delete_service), methods=["DELETE"]),
            Route(endpoints, calls(self.list_endpoints), methods=["GET"]),
            Route(f"{endpoints}/{{name}}", calls(self.get_endpoint), methods=["GET"]),
            Route(f"{endpoints}/{{name}}", calls(self.create_endpoint), methods=["PUT"]),
            Route(f"{endpoints}/{{name}}", calls(self.update_endpoint), methods=["PATCH"]),
            Route(f"{endpoints}/{{name}}", calls(self.delete_endpoint), methods=["DELETE"]),
            Route(f"{endpoints}/{{name}}/refresh", calls(self.refresh_endpoint), methods=["POST"]),
        ]

    def list_services(self, call: Call) -> Response:
        """List the workspace's web services, oldest first."""
        call.require_workspace_token()
        catalog = self._registry.catalog
        if catalog.workspace != call.path("owner"):
            raise NotFound("WorkspaceNotFound", "no such workspace; check the address")
        services = sorted(catalog.services.values(), key=lambda service: (service.created_at, service.name))
        return json_response([_service_to_wire(service, catalog) for service in services])

    def get_service(self, call: Call) -> Response:
        """Show one web service."""
        call.require_workspace_token()
        return json_response(_service_to_wire(call.service(), self._registry.catalog))

    def publish_code(self, call: Call) -> Response:
        """Refuse code in any language: what is published here is declared, and models are data."""
        call.require_workspace_token()
        raise BadArgument(
            "WebServiceTypeInvalid",
            "web services of Type 'Code' are not run here; publish an experiment with "
            "POST /workspaces/{workspace}/experiments or with `python -m studio publish`",
        )

    def delete_service(self, call: Call) -> Response:
        """Delete a web service with its endpoints."""
        call.require_workspace_token()
        self._endpoints.delete_service(call.service())
        return empty_response()

    def list_endpoints(self, call: Call) -> Response:
        """List a web service's endpoints with their keys, so the workspace token is needed."""
        call.require_workspace_token()
        service = call.service()
        endpoints = self._registry.catalog.endpoints_of(service.id)
        return json_response([self._to_wire(service, endpoint) for endpoint in endpoints])

    def get_endpoint(self, call: Call) -> Response:
        """Show one endpoint."""
        return json_response(self._to_wire(*call.managed_endpoint()))

    def create_endpoint(self, call: Call) -> Response:
        """Create an endpoint with the default one's model, or change the properties of one that exists."""
        call.require_workspace_token()
        service = call.service()
        endpoint, is_new = self._endpoints.create(
            service, call.path("name"), EndpointChange.from_wire(call.json() or {})
        )
        return json_response(self._to_wire(service, endpoint), 201 if is_new else 200)

    def update_endpoint(self, call: Call) -> Response:
        """Replace an endpoint's model or properties; the answer has no body."""
        service, endpoint = call.managed_endpoint()
        self._endpoints.update(service, endpoint, EndpointChange.from_wire(call.json()))
        return empty_response()

    def refresh_endpoint(self, call: Call) -> Response:
        """Copy what the experiment has become over an endpoint; 304 when nothing changed."""
        service, endpoint = call.managed_endpoint()
        changed = self._endpoints.refresh(service, endpoint, overwrite_resources=_overwrites(call.json()))
        return json_response(self._to_wire(*call.managed_endpoint())) if changed else Response(status_code=304)

    def delete_endpoint(self, call: Call) -> Response:
        """Delete an endpoint."""
        _, endpoint = call.managed_endpoint()
        self._endpoints.delete(endpoint)
        return empty_response()

    def _to_wire(self, service: WebService, endpoint: Endpoint) -> wire.Body:
        return wire.Endpoint(
            name=endpoint.name,
            endpoint_id=endpoint.id,
            web_service_id=endpoint.service_id,
            workspace_id=endpoint.workspace,
            api_location=self._addresses.api(endpoint),
            help_location=self._addresses.help(endpoint),
            primary_key=endpoint.primary_key,
            secondary_key=endpoint.secondary_key,
            prevent_update=endpoint.prevent_update,
            description=endpoint.description,
            created_at=_time(endpoint.created_at),
            max_concurrent_calls=endpoint.max_concurrent_calls,
            throttle_level=endpoint.throttle_level,
            diagnostics_level=endpoint.diagnostics_level,
            version=endpoint.model or service.experiment,
            resources=self._resources(service, endpoint),
        ).to_wire()

    def _resources(self, service: WebService, endpoint: Endpoint) -> tuple[wire.Resource, ...]:
        if not endpoint.model:
            return ()
        place = self._artifacts.reference(ArtifactKind.MODEL, endpoint.model)
        return (wire.Resource(service.resource, self._blobs.result(place, datetime.now(UTC))),)


def _service_to_wire(service: WebService, catalog: Catalog) -> wire.Body:
    return {
        "Id": service.id,
        "Name": service.name,
        "Description": service.description,
        "CreationTime": _time(service.created_at),
        "WorkspaceId": service.workspace,
        "DefaultEndpointName": DEFAULT_ENDPOINT,
        "EndpointCount": len(catalog.endpoints_of(service.id)),
    }


def _overwrites(body: object) -> bool:
    """Read `{"OverwriteResources": "True"}`: clients send the text, in any case; without it, resources stay."""
    fields = {} if body is None else body
    value = fields.get("OverwriteResources") if isinstance(fields, dict) else shape_of(body)
    text = "false" if value is None else str(value).lower()
    if text not in ("true", "false"):
        raise BadArgument("BadParameterValue", 'the body must be {"OverwriteResources": "True"} or "False"')
    return text == "true"


def _time(instant: datetime) -> str:
    """Write `2016-01-29T13:27:14.153Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
