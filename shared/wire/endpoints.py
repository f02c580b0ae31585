"""Endpoint management: an endpoint, the models it holds, and the PATCH that gives it others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import ProtocolMismatch
from shared.secret import Secret
from shared.wire.reading import Body, read_object, read_text
from shared.wire.references import BlobReference


@dataclass(frozen=True)
class Resource:
    """A saved model of an endpoint that can be replaced; `location` is where its bytes are."""

    name: str
    location: BlobReference
    kind: str = "Trained model"

    def to_wire(self) -> Body:
        """Write the form of an endpoint's `Resources` entry."""
        return {"Name": self.name, "Kind": self.kind, "Location": self.location.to_wire()}

    @classmethod
    def from_wire(cls, body: object, where: str) -> Resource:
        """Read one entry of `Resources`."""
        fields = read_object(body, where)
        location = BlobReference.from_wire(fields.get("Location"), f"{where}.Location")
        return cls(read_text(fields, "Name", where), location, str(fields.get("Kind") or "Trained model"))


def resource_update(resources: Sequence[Resource]) -> Body:
    """Write the body of the PATCH that gives an endpoint other models."""
    return {"Resources": [{"Name": r.name, "Location": r.location.to_wire()} for r in resources]}


@dataclass(frozen=True)
class Endpoint:
    """What endpoint management says of one endpoint."""

    name: str
    endpoint_id: str
    web_service_id: str
    workspace_id: str
    api_location: str
    help_location: str
    primary_key: Secret
    secondary_key: Secret
    prevent_update: bool
    description: str = ""
    created_at: str = ""
    max_concurrent_calls: int = 4
    throttle_level: str = "Low"
    diagnostics_level: str = "None"
    version: str = ""
    resources: tuple[Resource, ...] = ()

    def to_wire(self) -> Body:
        """Write the fields in the order that was recorded."""
        return {
            "Name": self.name,
            "Description": self.description,
            "CreationTime": self.created_at,
            "WorkspaceId": self.workspace_id,
            "WebServiceId": self.web_service_id,
            "HelpLocation": self.help_location,
            "PrimaryKey": self.primary_key.reveal(),
            "SecondaryKey": self.secondary_key.reveal(),
            "ApiLocation": self.api_location,
            "PreventUpdate": self.prevent_update,
            "MaxConcurrentCalls": self.max_concurrent_calls,
            "DiagnosticsTraceLevel": self.diagnostics_level,
            "ThrottleLevel": self.throttle_level,
            "Version": self.version,
            "SampleDataEnabled": False,
            "ExperimentLocation": None,
            "Resources": [resource.to_wire() for resource in self.resources],
        }

    @classmethod
    def from_wire(cls, body: object) -> Endpoint:
        """Read an endpoint; only its name and ApiLocation are required."""
        fields = read_object(body, "endpoint")
        api = read_text(fields, "ApiLocation", "endpoint").rstrip("/")
        resources = fields.get("Resources") or []
        if not isinstance(resources, list):
            raise ProtocolMismatch("endpoint.Resources", "a list", resources)
        return cls(
            name=read_text(fields, "Name", "endpoint"),
            endpoint_id=api.rpartition("/")[2],
            web_service_id=str(fields.get("WebServiceId") or ""),
            workspace_id=str(fields.get("WorkspaceId") or ""),
            api_location=api,
            help_location=str(fields.get("HelpLocation") or ""),
            primary_key=Secret(str(fields.get("PrimaryKey") or "")),
            secondary_key=Secret(str(fields.get("SecondaryKey") or "")),
            prevent_update=bool(fields.get("PreventUpdate")),
            description=str(fields.get("Description") or ""),
            created_at=str(fields.get("CreationTime") or ""),
            max_concurrent_calls=int(fields.get("MaxConcurrentCalls") or 4),
            throttle_level=str(fields.get("ThrottleLevel") or "Low"),
            diagnostics_level=str(fields.get("DiagnosticsTraceLevel") or "None"),
            version=str(fields.get("Version") or ""),
            resources=tuple(Resource.from_wire(r, f"Resources[{i}]") for i, r in enumerate(resources)),
        )
