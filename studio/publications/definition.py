"""
The definition of a new-style (Azure Resource Manager) web service: written for GET, read from PATCH.

Such a service has no endpoints; what it serves is here the endpoint `default`. Source: docs/protocol.md, "New-style
web services".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.errors import ProtocolMismatch
from shared.secret import Secret
from shared.wire import BlobReference, Body, Resource
from shared.wire.reading import read_object, read_optional_text, read_text
from studio.blobs.connection import ConnectionStringError, StorageAccount
from studio.errors import BadArgument
from studio.services.catalog import Endpoint, WebService
from studio.services.endpoint_change import EndpointChange, check_calls
from studio.serving.scoring import OUTPUT_NAME

ASSET = "asset1"

_TYPES = {
    "Int32": {"type": "Integer", "format": "Int32"},
    "Double": {"type": "Number", "format": "Double"},
    "Boolean": {"type": "Boolean"},
    "String": {"type": "String"},
}
_LEAST_CALLS = 4
_LEVELS = ("None", "Error", "All")
_KEY_LENGTHS = range(32, 129)

Columns = Sequence[tuple[str, str]]


def definition(
    service: WebService, default: Endpoint, inputs: Columns, outputs: Columns, model: BlobReference | None
) -> Body:
    """
    Write the `properties` of the resource; the keys are not among them, as in the original.

    Args:
        default: What the web service serves.
        inputs: Columns of the input, by name and the protocol's name of their type.
        model: Where the model can be read; None for a training web service.
    """
    return {
        "title": service.name,
        "description": service.description,
        "createdOn": service.created_at.isoformat(),
        "modifiedOn": _modified_on(service, default).isoformat(),
        "provisioningState": "Succeeded",
        "readOnly": False,
        "exposeSampleData": False,
        "realtimeConfiguration": {"maxConcurrentCalls": default.max_concurrent_calls},
        "diagnostics": {"level": default.diagnostics_level},
        "input": _ports(service.input_name, inputs),
        "output": _ports(OUTPUT_NAME, outputs),
        "assets": {ASSET: _asset(service, model)} if model else {},
        "parameters": {name: text or "" for name, text in service.score.parameters.defaults.items()},
        "packageType": "Graph",
        "payloadsInBlobStorage": False,
    }


def read_definition(body: object, service: WebService) -> EndpointChange:
    """
    Read what a PATCH changes: an asset's `locationInfo`, the concurrency, the diagnostics level, the keys.

    Whole definitions are sent back with one part changed, so parts that cannot change are ignored.

    Raises:
        BadArgument: A part has another shape or is outside its range, or an asset is unknown.
    """
    try:
        fields = read_object(read_object(body, "body").get("properties") or {}, "properties")
        return EndpointChange(read_properties(fields), tuple(_resources(fields, service)))
    except ProtocolMismatch as error:
        raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None


def _modified_on(service: WebService, default: Endpoint) -> datetime:
    """When the web service or what it serves was changed last."""
    return max(record.modified_at or record.created_at for record in (service, default))


def _ports(name: str, columns: Columns) -> Body:
    table = {"type": "object", "properties": {column: _TYPES[kind] for column, kind in columns}}
    return {"type": "object", "properties": {name: table}}


def _asset(service: WebService, model: BlobReference) -> Body:
    return {
        "name": service.resource,
        "type": "Resource",
        "locationInfo": {
            "uri": f"{model.base_location}{model.relative_location}",
            "credentials": model.sas_token.reveal() if model.sas_token else None,
        },
        "outputPorts": {"Results dataset": {"type": "Dataset"}},
    }


def read_properties(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read concurrency, diagnostics level and keys; raises BadArgument or ProtocolMismatch."""
    changed: dict[str, Any] = {}
    n_calls = _section(fields, "realtimeConfiguration").get("maxConcurrentCalls")
    if n_calls is not None:
        check_calls(n_calls, "maxConcurrentCalls", _LEAST_CALLS)
        changed["max_concurrent_calls"] = n_calls
    diagnostics = _section(fields, "diagnostics")
    _check_expiry(diagnostics)
    level = diagnostics.get("level")
    if level is not None:
        if level not in _LEVELS:
            raise ProtocolMismatch("diagnostics.level", "None, Error or All", level, code="BadParameterValue")
        changed["diagnostics_level"] = level
    return changed | _keys(_section(fields, "keys"))


def _check_expiry(diagnostics: Mapping[str, Any]) -> None:
    text = read_optional_text(diagnostics, "expiry", "diagnostics")
    try:
        expiry = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise BadArgument("BadParameterValue", "diagnostics.expiry must be a date and time as in ISO 8601") from None
    if expiry and expiry.replace(tzinfo=expiry.tzinfo or UTC) <= datetime.now(UTC):
        raise BadArgument("ExpiryTimeInThePast", "diagnostics.expiry is over; give a time to come, or leave it out")


def _keys(keys: Mapping[str, Any]) -> dict[str, Secret]:
    changed = {}
    for which in ("primary", "secondary"):
        key = read_optional_text(keys, which, "keys")
        if key and (len(key) not in _KEY_LENGTHS or not key.isascii() or not key.isprintable() or " " in key):
            shortest, longest = _KEY_LENGTHS[0], _KEY_LENGTHS[-1]
            raise BadArgument("BadParameterValue", f"keys.{which} must have {shortest} to {longest} plain characters")
        if key:
            changed[f"{which}_key"] = Secret(key)
    return changed


def _resources(fields: Mapping[str, Any], service: WebService) -> list[Resource]:
    """Read assets that have a location: the model is known by its key, by its name, or by being the only one."""
    assets = {key: read_object(entry, f"assets.{key}") for key, entry in _section(fields, "assets").items()}
    placed = {key: asset for key, asset in assets.items() if asset.get("locationInfo") is not None}
    found = []
    for key, asset in placed.items():
        name = read_optional_text(asset, "name", f"assets.{key}")
        is_known = key == ASSET or name == service.resource or len(placed) == 1
        if not is_known or not service.resource:
            known = f"'{ASSET}', named '{service.resource}'" if service.resource else "none"
            raise BadArgument("BadParameterValue", f"web service '{service.name}' has no asset '{key}'; it has {known}")
        place = located(asset["locationInfo"], f"assets.{key}.locationInfo")
        found.append(Resource(name or service.resource, place))
    return found


def located(body: object, where: str) -> BlobReference:
    """Read an asset's `locationInfo`; raises BadArgument or ProtocolMismatch."""
    fields = read_object(body, where)
    uri = urlsplit(read_text(fields, "uri", where))
    credentials = read_optional_text(fields, "credentials", where)
    if uri.scheme not in ("http", "https") or not uri.netloc:
        raise BadArgument("BadParameterValue", f"{where}.uri must be the blob's http(s) address")
    address = f"{uri.scheme}://{uri.netloc}{unquote(uri.path)}"
    if ";" in credentials or credentials.lower().startswith("accountname="):
        return BlobReference(_below(address, Secret(credentials), where), connection=Secret(credentials))
    token = (credentials or uri.query).lstrip("?")
    return BlobReference(
        unquote(uri.path).lstrip("/"),
        base_location=f"{uri.scheme}://{uri.netloc}/",
        sas_token=Secret(f"?{token}") if token else None,
    )


def _below(address: str, connection: Secret, where: str) -> str:
    """Return what follows an account's blob endpoint in a blob's address."""
    try:
        base = StorageAccount.parse(connection).base_location
    except ConnectionStringError as error:
        raise BadArgument("InvalidBlobConnectionString", f"{where}.credentials: {error}") from None
    if not address.startswith(base):
        raise BadArgument("InvalidBlobConnectionString", f"{where}.credentials are of another account than its uri")
    return address.removeprefix(base)


def _section(fields: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = fields.get(key)
    return read_object(value if value is not None else {}, key)
