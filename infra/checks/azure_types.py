"""The types of Azure's resource providers, as Azure/bicep-types-az publishes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Bits of a property's `flags`, and of a resource's `writableScopes`.
REQUIRED, READ_ONLY = 1, 2
SCOPES = {"tenant": 1, "managementGroup": 2, "subscription": 4, "resourceGroup": 8}


@dataclass(frozen=True)
class Type:
    """One type; `file` holds all types that it may refer to by number."""

    file: tuple[Mapping[str, Any], ...]
    content: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """`ObjectType`, `StringLiteralType`, …"""
        return str(self.content["$type"])

    def follow(self, reference: Mapping[str, str]) -> Type:
        """Return the type that a `{"$ref": "#/12"}` of this file names."""
        return Type(self.file, self.file[int(reference["$ref"].removeprefix("#/"))])

    def properties(self) -> dict[str, tuple[Type, int]]:
        """Return an object's properties with their flags."""
        found = self.content.get("properties") or self.content.get("baseProperties") or {}
        return {name: (self.follow(entry["type"]), int(entry["flags"])) for name, entry in found.items()}

    def elements(self) -> Iterator[Type]:
        """Yield the members of a union."""
        for reference in self.content.get("elements", ()):
            yield self.follow(reference)

    def case(self, value: str) -> Type | None:
        """Return the variant of a discriminated object."""
        reference = self.content["elements"].get(value)
        return self.follow(reference) if reference else None


class TypeLibrary:
    """
    The resource types below a folder.

    Args:
        root: Holds `{provider}/{version}/*.types.json`; a provider split over several files is read whole.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read = cache(self._read_version)

    def knows(self, provider: str) -> bool:
        """Whether anything is known of a provider, in any version."""
        return (self._root / provider.lower()).is_dir()

    def resource(self, name: str, version: str) -> tuple[Type, int] | None:
        """Return the body of `Provider/type` at a version, and the scopes it can be deployed to."""
        provider = name.partition("/")[0].lower()
        found = self._read(provider, version).get(name.lower())
        return (found.follow(found.content["body"]), _scopes(found.content)) if found else None

    def has_type(self, name: str) -> bool:
        """Whether any version that is here has the resource type."""
        provider = self._root / name.partition("/")[0].lower()
        versions = [path.name for path in provider.glob("*") if path.is_dir()]
        return any(self.resource(name, version) for version in versions)

    def _read_version(self, provider: str, version: str) -> dict[str, Type]:
        found: dict[str, Type] = {}
        for path in sorted((self._root / provider / version).glob("*.json")):
            file = tuple(json.loads(path.read_text(encoding="utf-8")))
            for content in file:
                if content["$type"] == "ResourceType":
                    found[content["name"].partition("@")[0].lower()] = Type(file, content)
        return found


def _scopes(content: Mapping[str, Any]) -> int:
    return int(content.get("writableScopes", content.get("scopeType", 0)))
