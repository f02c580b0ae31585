"""A Bicep file as declarations, read from its syntax tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

from infra.checks.finding import Finding, Kind, at

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_BODIES = ("object", "if_statement", "for_statement", "array")


@dataclass(frozen=True)
class Parameter:
    """`kind` is the declared type's text, for example `string` or `string[]`."""

    node: Node
    kind: str
    is_required: bool
    allowed: tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """
    One resource declaration.

    Attributes:
        type: Full type of nested ones too, for example `Microsoft.Storage/storageAccounts/blobServices`.
        body: The object, without condition and loop.
        outer: The resource that it is nested in.
    """

    symbol: str
    type: str
    version: str
    node: Node
    body: Node
    is_existing: bool
    is_loop: bool
    outer: Resource | None


@dataclass(frozen=True)
class Module:
    """One use of another file; `source` is the path as written."""

    symbol: str
    source: str
    node: Node
    body: Node


@dataclass
class Template:
    """One file. `problems` are the syntax errors."""

    path: Path
    root: Node
    scope: str = "resourceGroup"
    parameters: dict[str, Parameter] = field(default_factory=dict)
    variables: dict[str, Node] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    declared: list[tuple[str, Node]] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


def read_template(path: Path) -> Template:
    """Read one Bicep file."""
    root = _PARSER.parse(path.read_bytes()).root_node
    template = Template(path, root)
    template.problems = [at(path, node, Kind.SYNTAX, text_of(node)[:60] or node.type) for node in _errors(root)]
    for node, decorators in _declarations(root):
        _enter(template, node, decorators)
    return template


def properties(body: Node) -> Iterator[tuple[str, Node, Node]]:
    """Yield the name, value and node of each property of an object."""
    for node in body.named_children:
        if node.type == "object_property":
            parts = [child for child in node.named_children if child.type != "comment"]
            if len(parts) == 2 and (name := literal(parts[0]) or text_of(parts[0])):
                yield name, parts[1], node


def literal(node: Node) -> str | None:
    """Return a string's text when nothing is interpolated in it."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text_of(child) for child in node.named_children)


def text_of(node: Node) -> str:
    """Return the source text of a node."""
    return node.text.decode() if node.text else ""


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and every named one below it, in the order of the text."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(node.named_children)


def unwrapped(node: Node) -> Node:
    """Return what stands inside conditions, loops and parentheses."""
    while node.type in ("if_statement", "for_statement", "parenthesized_expression"):
        inner = node.child_by_field_name("body") or next(
            (child for child in reversed(node.named_children) if child.type in _BODIES), node.named_children[-1]
        )
        node = inner
    return node


def _errors(node: Node) -> Iterator[Node]:
    if node.is_error or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _errors(child)


def _declarations(root: Node) -> Iterator[tuple[Node, list[Node]]]:
    decorators: list[Node] = []
    for node in root.named_children:
        if node.type == "decorators":
            decorators = list(node.named_children)
        elif node.type != "comment":
            yield node, decorators
            decorators = []


def _enter(template: Template, node: Node, decorators: list[Node]) -> None:
    names = [child for child in node.named_children if child.type == "identifier"]
    name = text_of(names[0]) if names else ""
    match node.type:
        case "target_scope_assignment":
            template.scope = next((literal(c) or "" for c in node.named_children if c.type == "string"), "")
            return
        case "parameter_declaration":
            template.parameters[name] = _parameter(node, decorators)
        case "variable_declaration":
            template.variables[name] = node.named_children[-1]
        case "resource_declaration":
            _enter_resource(template, node, None)
            return
        case "module_declaration":
            source = next((literal(c) or "" for c in node.named_children if c.type == "string"), "")
            template.modules.append(Module(name, source, node, unwrapped(node.named_children[-1])))
        case "output_declaration":
            template.outputs[name] = _declared_type(node)
            return
        case _:
            return
    template.declared.append((name, node))


def _enter_resource(template: Template, node: Node, outer: Resource | None) -> None:
    name = next(text_of(child) for child in node.named_children if child.type == "identifier")
    written = next((literal(child) or "" for child in node.named_children if child.type == "string"), "")
    kind, _, version = written.partition("@")
    if outer is not None:
        kind, version = f"{outer.type}/{kind}", version or outer.version
    wrapped = node.named_children[-1]
    body = unwrapped(wrapped)
    is_loop = wrapped.type == "for_statement" or any(child.type == "for_statement" for child in wrapped.named_children)
    is_existing = any(child.type == "existing" or text_of(child) == "existing" for child in node.children)
    resource = Resource(name, kind, version, node, body, is_existing, is_loop, outer)
    template.resources.append(resource)
    template.declared.append((name, node))
    for part in body.named_children:
        for inner in (part, *part.named_children):
            if inner.type == "resource_declaration":
                _enter_resource(template, inner, resource)


def _parameter(node: Node, decorators: list[Node]) -> Parameter:
    allowed: tuple[str, ...] = ()
    for decorator in decorators:
        if text_of(decorator).startswith("@allowed"):
            allowed = tuple(literal(n) or "" for n in walk(decorator) if n.type == "string")
    has_default = any(child.type == "=" for child in node.children)
    return Parameter(node, _declared_type(node), not has_default, allowed)


def _declared_type(node: Node) -> str:
    return next((text_of(child) for child in node.named_children if child.type == "type"), "")
