"""Resource bodies against the types of their providers."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.azure_types import READ_ONLY, REQUIRED, SCOPES, Type, TypeLibrary
from infra.checks.finding import Finding, Kind, at
from infra.checks.template import Resource, Template, literal, properties
from infra.checks.values import ANY, branches, kind_of

_KINDS = {
    "StringType": "string",
    "StringLiteralType": "string",
    "IntegerType": "int",
    "BooleanType": "bool",
    "ObjectType": "object",
    "DiscriminatedObjectType": "object",
    "ArrayType": "array",
}
# What Bicep itself adds to a resource's body.
_OF_BICEP = ("parent", "scope", "dependsOn")


class BodyCheck:
    """Checks the resources of one file."""

    def __init__(self, template: Template, library: TypeLibrary) -> None:
        self._template, self._library = template, library

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with each resource."""
        for resource in self._template.resources:
            found = self._library.resource(resource.type, resource.version)
            if found is None:
                if self._library.has_type(resource.type) or not self._is_undescribed(resource):
                    text = f"{resource.type}@{resource.version}"
                    yield at(self._template.path, resource.node, Kind.UNKNOWN_TYPE, text)
            elif not resource.is_existing:
                yield from self._resource(resource, *found)

    def undescribed(self) -> set[str]:
        """Return the resource types whose provider, or part of it, no description here covers."""
        return {f"{each.type}@{each.version}" for each in self._template.resources if self._is_undescribed(each)}

    def _is_undescribed(self, resource: Resource) -> bool:
        provider = resource.type.partition("/")[0].lower()
        # Monitoring's types come in packages of their own; the description here holds Application Insights alone.
        return not self._library.has_type(resource.type) and (
            provider == "microsoft.insights" or not self._library.knows(provider)
        )

    def _resource(self, resource: Resource, body: Type, scopes: int) -> Iterator[Finding]:
        is_extension = any(name == "scope" for name, _, _ in properties(resource.body))
        if scopes and not is_extension and not scopes & SCOPES.get(self._template.scope, 0):
            text = f"{resource.type} cannot be deployed to a {self._template.scope}"
            yield self._at(resource.node, Kind.WRONG_SCOPE, text)
        yield from self._parent(resource)
        yield from self._object(resource.body, body, resource.symbol, is_resource=True)

    def _parent(self, resource: Resource) -> Iterator[Finding]:
        for name, value, node in properties(resource.body):
            if name == "parent":
                wanted = resource.type.rpartition("/")[0]
                symbol = value.text.decode() if value.text else ""
                actual = next((r.type for r in self._template.resources if r.symbol == symbol), None)
                if actual is not None and actual.lower() != wanted.lower():
                    yield self._at(node, Kind.WRONG_PARENT, f"{symbol} is a {actual}, not a {wanted}")

    def _value(self, node: Node, wanted: Type, where: str) -> Iterator[Finding]:
        for branch in branches(self._template, node):
            yield from self._branch(branch, wanted, where)

    def _branch(self, node: Node, wanted: Type, where: str) -> Iterator[Finding]:
        if wanted.kind == "UnionType":
            yield from self._union(node, wanted, where)
            return
        actual, expected = kind_of(self._template, node), _KINDS.get(wanted.kind, ANY)
        if ANY not in (actual, expected) and actual not in (expected, "null"):
            yield self._at(node, Kind.WRONG_TYPE, f"{where} is {expected}, not {actual}")
        elif wanted.kind == "StringLiteralType" and literal(node) not in (None, wanted.content["value"]):
            yield self._at(node, Kind.WRONG_VALUE, f"{where} is '{wanted.content['value']}', not '{literal(node)}'")
        elif wanted.kind == "ArrayType":
            yield from self._items(node, wanted.follow(wanted.content["itemType"]), where)
        elif expected == "object" and node.type == "object":
            yield from self._object(node, wanted, where)

    def _union(self, node: Node, wanted: Type, where: str) -> Iterator[Finding]:
        members = list(wanted.elements())
        listed = [str(member.content["value"]) for member in members if member.kind == "StringLiteralType"]
        value = literal(node)
        actual = kind_of(self._template, node)
        if value is None:
            if ANY not in (actual, *(_KINDS.get(m.kind, ANY) for m in members)) and actual not in ("string", "null"):
                yield self._at(node, Kind.WRONG_TYPE, f"{where} is string, not {actual}")
        elif listed and value not in listed:
            kind = Kind.UNLISTED_VALUE if any(member.kind == "StringType" for member in members) else Kind.WRONG_VALUE
            yield self._at(node, kind, f"{where} is one of {', '.join(listed)}, not '{value}'")

    def _items(self, node: Node, wanted: Type, where: str) -> Iterator[Finding]:
        if node.type == "for_statement":
            body = node.child_by_field_name("body")
            if body is not None:
                yield from self._value(body, wanted, f"{where}[]")
        elif node.type == "array":
            for item in node.named_children:
                if item.type != "comment":
                    yield from self._value(item, wanted, f"{where}[]")

    def _object(self, node: Node, wanted: Type, where: str, *, is_resource: bool = False) -> Iterator[Finding]:
        given = {name: (value, at_node) for name, value, at_node in properties(node)}
        known = wanted.properties()
        if wanted.kind == "DiscriminatedObjectType":
            key = wanted.content["discriminator"]
            value = literal(given[key][0]) if key in given else None
            variant = wanted.case(value) if value is not None else None
            if key not in given:
                yield self._at(node, Kind.MISSING, f"{where}.{key}")
            elif value is not None and variant is None:
                cases = ", ".join(wanted.content["elements"])
                yield self._at(given[key][1], Kind.WRONG_VALUE, f"{where}.{key} is one of {cases}, not '{value}'")
            if variant is None:
                return
            known |= variant.properties()
        yield from self._properties(node, given, known, wanted, where, is_resource=is_resource)

    def _properties(
        self,
        node: Node,
        given: dict[str, tuple[Node, Node]],
        known: dict[str, tuple[Type, int]],
        wanted: Type,
        where: str,
        *,
        is_resource: bool,
    ) -> Iterator[Finding]:
        further = wanted.content.get("additionalProperties")
        for name, (value, at_node) in given.items():
            if is_resource and name in _OF_BICEP:
                continue
            if name not in known:
                if further is None:
                    yield self._at(at_node, Kind.UNKNOWN_PROPERTY, f"{where}.{name}")
                else:
                    yield from self._value(value, wanted.follow(further), f"{where}.{name}")
            elif known[name][1] & READ_ONLY:
                yield self._at(at_node, Kind.READ_ONLY, f"{where}.{name}")
            else:
                yield from self._value(value, known[name][0], f"{where}.{name}")
        for name, (_, flags) in known.items():
            if flags & REQUIRED and not flags & READ_ONLY and name not in given:
                yield self._at(node, Kind.MISSING, f"{where}.{name}")

    def _at(self, node: Node, kind: Kind, text: str) -> Finding:
        return at(self._template.path, node, kind, text)
