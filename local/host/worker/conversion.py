"""Values between the wire and a function's parameters, by the converters of the `azure-functions` library."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

from azure.functions import get_binding_registry, meta

from local.host.messages import BlobName, Datum, Kind, Request, Response


@dataclass(frozen=True)
class Parameter:
    """
    How one parameter (or the return value) is converted.

    `pytype` is its annotation, None without one; `is_deferred` marks an SDK type, which gets a name, not content. The
    field names are those that the extension library reads.
    """

    binding_name: str
    pytype: Any
    is_deferred: bool = False


class _Generic:
    """What the real worker does with text and bytes that no converter claims."""

    @staticmethod
    def has_trigger_support() -> bool:
        return False

    @staticmethod
    def has_implicit_output() -> bool:
        return True

    @staticmethod
    def check_input_type_annotation(pytype: type) -> bool:
        return issubclass(pytype, str | bytes)

    @staticmethod
    def check_output_type_annotation(pytype: type) -> bool:
        return issubclass(pytype, str | bytes | bytearray)

    @staticmethod
    def decode(data: meta.Datum | None, *, trigger_metadata: object) -> Any:
        return None if data is None else data.value

    @staticmethod
    def encode(value: Any, *, expected_type: Any) -> meta.Datum:
        match value:
            case str():
                return meta.Datum(value, "string")
            case bytes() | bytearray():
                return meta.Datum(bytes(value), "bytes")
            case dict() | list():
                return meta.Datum(json.dumps(value), "json")
            case _:
                raise TypeError(f"a {type(value).__name__} is neither text nor bytes")


def extension_registry() -> Any:
    """Return the registry of SDK types, or None when the app imported none."""
    base = sys.modules.get("azurefunctions.extensions.base")
    return base.get_binding_registry() if base else None


def converter(binding: str, *, is_deferred: bool = False) -> Any:
    """Find the library's converter for a binding type; text and bytes pass through where there is none."""
    registry = extension_registry() if is_deferred else get_binding_registry()  # type: ignore[no-untyped-call]
    return (registry and registry.get(binding)) or _Generic


def has_implicit_output(binding: str) -> bool:
    """Whether a function with this binding may return a value without declaring `$return`."""
    return bool(getattr(converter(binding), "has_implicit_output", lambda: False)())


def to_argument(parameter: Parameter, datum: Datum, metadata: Mapping[str, Datum]) -> Any:
    """
    Convert a value from the host into what the function receives.

    Raises:
        ValueError, TypeError: The converter refuses the value or the trigger metadata.
    """
    chosen = converter(parameter.binding_name, is_deferred=parameter.is_deferred)
    known = {name: _to_library(value) for name, value in metadata.items()} if chosen.has_trigger_support() else {}
    extra = {"pytype": parameter.pytype} if parameter.is_deferred else {}
    try:
        return chosen.decode(_to_library(datum), trigger_metadata=known, **extra)
    except NotImplementedError:
        raise TypeError(f"binding '{parameter.binding_name}' cannot receive a {datum.kind.value} value") from None


def to_output(parameter: Parameter, value: Any) -> Datum:
    """
    Convert what the function gave into a value for the host.

    Raises:
        TypeError: The binding does not take values of this Python type.
    """
    try:
        datum = converter(parameter.binding_name).encode(value, expected_type=parameter.pytype)
    except NotImplementedError:
        raise TypeError(f"binding '{parameter.binding_name}' cannot send a {type(value).__name__}") from None
    return _from_library(datum)


def _to_library(datum: Datum) -> meta.Datum | None:
    match datum.kind, datum.value:
        case Kind.NONE, _:
            return None
        case Kind.HTTP, Request() as request:
            return meta.Datum(_request_fields(request), "http")
        case Kind.MODEL_BINDING_DATA, BlobName() as name:
            return meta.Datum(_ModelBindingData(name), "model_binding_data")
    return meta.Datum(datum.value, datum.kind.value)


def _request_fields(request: Request) -> dict[str, Any]:
    def texts(values: Mapping[str, str]) -> dict[str, meta.Datum]:
        return {name: meta.Datum(value, "string") for name, value in values.items()}

    return {
        "method": meta.Datum(request.method, "string"),
        "url": meta.Datum(request.url, "string"),
        "headers": texts(request.headers),
        "query": texts(request.query),
        "params": texts(request.route),
        "body": meta.Datum(request.body or b"", "bytes"),
    }


class _ModelBindingData:
    """The platform's message for deferred bindings, by the attribute names that the extension reads."""

    version = "1.0"
    source = "AzureStorageBlobs"
    content_type = "application/json"

    def __init__(self, name: BlobName) -> None:
        self.content = json.dumps(
            {"Connection": name.connection, "ContainerName": name.container, "BlobName": name.blob}
        )


def _from_library(datum: meta.Datum) -> Datum:
    if datum.type != "http":
        return Datum(Kind(datum.type), datum.value)
    fields = datum.value
    body = fields["body"].value
    return Datum(
        Kind.HTTP,
        Response(
            status=int(fields["status_code"].value),
            headers={name: value.value for name, value in fields["headers"].items()},
            cookies=[text for cookie in fields["cookies"] or () for text in _cookie_texts(cookie)],
            body=body if isinstance(body, bytes) else str(body).encode(),
        ),
    )


def _cookie_texts(cookie: SimpleCookie) -> list[str]:
    return [morsel.OutputString() for morsel in cookie.values()]
