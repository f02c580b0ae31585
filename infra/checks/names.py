"""Names of one file: declared once, used somewhere, defined where they are used; files and modules that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.finding import Finding, Kind, at
from infra.checks.template import Module, Template, literal, properties, read_template, text_of, walk
from infra.checks.values import ANY, kind_of

_NAMESPACES = ("az", "sys")
_LOADERS = ("loadTextContent", "loadJsonContent", "loadFileAsBase64")


def check_names(template: Template) -> Iterator[Finding]:
    """Yield what is wrong with the names of one file."""
    counts = Counter(name for name, _ in template.declared)
    local = {text_of(name) for node in walk(template.root) for name in _bound(node)}
    used: set[str] = set()
    for node in walk(template.root):
        if node.type == "identifier" and _is_use(node):
            name = text_of(node)
            used.add(name)
            if name not in counts and name not in local and name not in _NAMESPACES:
                yield at(template.path, node, Kind.UNDEFINED, name)
    for name, node in template.declared:
        if counts[name] > 1:
            yield at(template.path, node, Kind.DUPLICATE, name)
        if node.type in ("parameter_declaration", "variable_declaration") and name not in used:
            yield at(template.path, node, Kind.UNUSED, name)
    yield from _files(template)
    yield from _modules(template)


def _bound(node: Node) -> Iterator[Node]:
    """Yield the names that a loop or a lambda binds."""
    if node.type == "for_statement":
        initializer = node.child_by_field_name("initializer")
        if initializer is not None:
            yield from (each for each in walk(initializer) if each.type == "identifier")
        yield from (each for child in node.named_children if "parameters" in child.type for each in walk(child))
    elif node.type == "lambda_expression":
        body = node.named_children[-1]
        yield from (each for child in node.named_children if child != body for each in walk(child))


def _is_use(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return False
    match parent.type:
        case "object_property":
            return node != parent.named_children[0]
        case "call_expression":
            return node != parent.named_children[0]
        case "resource_expression":
            return node != parent.child_by_field_name("resource")
        case "decorator" | "primitive_type" | "type":
            return False
        case kind if kind.endswith("_declaration"):
            return node != next(child for child in parent.named_children if child.type == "identifier")
    return True


def _files(template: Template) -> Iterator[Finding]:
    for node in walk(template.root):
        if node.type == "call_expression" and text_of(node.named_children[0]) in _LOADERS:
            for argument in walk(node):
                name = literal(argument)
                if name is not None and not (template.path.parent / name).is_file():
                    yield at(template.path, argument, Kind.MISSING_FILE, name)


def _modules(template: Template) -> Iterator[Finding]:
    for module in template.modules:
        path = template.path.parent / module.source
        if not path.is_file():
            yield at(template.path, module.node, Kind.MISSING_FILE, module.source)
            continue
        inner = read_template(path)
        yield from _arguments(template, module, inner)
        yield from _outputs(template, module, inner)


def _arguments(template: Template, module: Module, inner: Template) -> Iterator[Finding]:
    given: dict[str, Node] = {}
    for name, value, _ in properties(module.body):
        if name == "params":
            given = {name: value for name, value, _ in properties(value)}
    for name, value in given.items():
        parameter = inner.parameters.get(name)
        if parameter is None:
            yield at(template.path, value, Kind.UNKNOWN_PARAMETER, f"{module.symbol}.{name}")
            continue
        wanted = "array" if parameter.kind.endswith("[]") else parameter.kind
        actual = kind_of(template, value)
        if ANY not in (actual, wanted) and actual != wanted:
            yield at(template.path, value, Kind.WRONG_TYPE, f"{module.symbol}.{name} is {wanted}, not {actual}")
        elif parameter.allowed and literal(value) not in (None, *parameter.allowed):
            yield at(template.path, value, Kind.WRONG_VALUE, f"{module.symbol}.{name}: '{literal(value)}'")
    for name, parameter in inner.parameters.items():
        if parameter.is_required and name not in given:
            yield at(template.path, module.node, Kind.MISSING_PARAMETER, f"{module.symbol}.{name}")


def _outputs(template: Template, module: Module, inner: Template) -> Iterator[Finding]:
    wanted = f"{module.symbol}.outputs."
    for node in walk(template.root):
        if node.type == "member_expression" and (text := text_of(node)).startswith(wanted):
            name = text.removeprefix(wanted)
            if name.isidentifier() and name not in inner.outputs:
                yield at(template.path, node, Kind.UNKNOWN_OUTPUT, text)
