"""Lenient reading of JSON values: null is absent, and a mismatch names where it is and what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.errors import ProtocolMismatch

Body = dict[str, Any]


def read_object(body: object, where: str) -> Mapping[str, Any]:
    """Return a JSON object."""
    if not isinstance(body, dict):
        raise ProtocolMismatch(where, "an object", body)
    return body


def read_text(fields: Mapping[str, Any], key: str, where: str, *, code: str = "RequestBodyInvalid") -> str:
    """Return a field that must hold more than slashes and blanks."""
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip("/ "):
        raise ProtocolMismatch(f"{where}.{key}", "a non-empty text", value, code=code)
    return value


def read_optional_text(fields: Mapping[str, Any], key: str, where: str) -> str:
    """Return a field's text; empty when it is absent."""
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise ProtocolMismatch(f"{where}.{key}", "a text", value)
    return value or ""


def read_scalar(value: object, where: str) -> str:
    """Return a text, number or boolean as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ProtocolMismatch(where, "a text, number or boolean", value)
