"""The body of an endpoint's PUT or PATCH: which properties change and which resources are replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.errors import ProtocolMismatch, shape_of
from shared.wire import Resource
from studio.errors import BadArgument
from studio.services.catalog import Endpoint

MAX_CALLS = 200
_LOW_CALLS, _HIGH_CALLS = 4, 20  # what a ThrottleLevel means when no number comes with it
_MAX_TEXT = 4000
_CHOICES = {"ThrottleLevel": ("Low", "High"), "DiagnosticsTraceLevel": ("None", "Error", "All")}
_PROPERTIES = {
    "Description": "description",
    "ThrottleLevel": "throttle_level",
    "DiagnosticsTraceLevel": "diagnostics_level",
    "MaxConcurrentCalls": "max_concurrent_calls",
    "PreventUpdate": "prevent_update",
}


@dataclass(frozen=True)
class EndpointChange:
    """Changed properties by the record's field names, and the resources to replace."""

    properties: Mapping[str, Any] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()

    def applied_to(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint with the properties changed; resources are not its matter."""
        return replace(endpoint, **{**self._calls(endpoint), **self.properties})

    def _calls(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """Low is 4 calls at once; High keeps the present number, and is 20 at least."""
        level = self.properties.get("throttle_level")
        if level is None:
            return {}
        high = max(endpoint.max_concurrent_calls, _HIGH_CALLS)
        return {"max_concurrent_calls": _LOW_CALLS if level == "Low" else high}

    @classmethod
    def from_wire(cls, body: object) -> EndpointChange:
        """
        Read a body; absent and null keys change nothing, unknown ones are ignored.

        Raises:
            BadArgument: A property outside its range, or resources of another shape.
        """
        if body is None:
            raise BadArgument("RequestIsEmpty", "the request has no body: say what changes, as JSON")
        if not isinstance(body, dict):
            raise BadArgument("RequestBodyInvalid", f"the body must be an object, got {shape_of(body)}")
        given = {key: body[key] for key in _PROPERTIES if body.get(key) is not None}
        for key, value in given.items():
            _check(key, value)
        return cls({_PROPERTIES[key]: value for key, value in given.items()}, _resources(body.get("Resources")))


def check_calls(value: object, key: str, least: int) -> None:
    """Refuse a number of concurrent calls that no endpoint can have."""
    expected = f"{key} must be an integer from {least} to {MAX_CALLS}"
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadArgument("WebServiceConcurrentRequestRequirementInvalid", expected)
    if value > MAX_CALLS:
        raise BadArgument("WebServiceTooManyConcurrentRequestRequirement", expected)


def _check(key: str, value: object) -> None:
    if key == "MaxConcurrentCalls":
        check_calls(value, key, 1)
    elif key == "PreventUpdate":
        if not isinstance(value, bool):
            raise BadArgument("BadParameterValue", f"{key} must be true or false, got {shape_of(value)}")
    elif not isinstance(value, str):
        raise BadArgument("BadParameterValue", f"{key} must be a text, got {shape_of(value)}")
    elif len(value) > _MAX_TEXT:
        raise BadArgument("BadParameterValue", f"{key} may have at most {_MAX_TEXT} characters")
    elif key in _CHOICES and value not in _CHOICES[key]:
        raise BadArgument("BadParameterValue", f"{key} must be one of {', '.join(_CHOICES[key])}")


def _resources(entries: object) -> tuple[Resource, ...]:
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise BadArgument("RequestBodyInvalid", f"Resources must be a list, got {shape_of(entries)}")
    try:
        return tuple(Resource.from_wire(entry, f"Resources[{i}]") for i, entry in enumerate(entries))
    except ProtocolMismatch as error:
        raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None
