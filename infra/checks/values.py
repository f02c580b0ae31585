"""What an expression is known to be, without evaluating it."""

from __future__ import annotations

from tree_sitter import Node

from infra.checks.template import Template, text_of, unwrapped

ANY = "any"

# Return types of the functions that the files use; every other call is taken as `any`.
_TEXTS = (
    "base64",
    "guid",
    "join",
    "loadTextContent",
    "newGuid",
    "replace",
    "resourceId",
    "subscriptionResourceId",
    "toLower",
    "toUpper",
    "uniqueString",
    "utcNow",
)
_TESTS = ("empty", "endsWith", "startsWith", "contains")
_CALLS = dict.fromkeys(_TEXTS, "string") | dict.fromkeys(_TESTS, "bool") | {"split": "array", "length": "int"}
_DECLARED = {"string": "string", "int": "int", "bool": "bool", "object": "object", "array": "array"}
_LITERALS = {"string": "string", "number": "int", "boolean": "bool", "object": "object", "array": "array"}
_COMPARING = ("==", "!=", "<", ">", "<=", ">=", "&&", "||", "=~", "!~")


def definition(template: Template, node: Node) -> Node:
    """Follow a variable to the expression that it stands for."""
    node = unwrapped(node)
    seen: set[str] = set()
    while node.type == "identifier" and (name := text_of(node)) in template.variables and name not in seen:
        seen.add(name)
        node = unwrapped(template.variables[name])
    return node


def kind_of(template: Template, node: Node) -> str:
    """Return `string`, `int`, `bool`, `object`, `array`, `null` or `any`."""
    if node.type == "for_statement" or (node.type == "array" and not node.named_children):
        return "array"
    node = definition(template, node)
    if node.type in _LITERALS:
        return _LITERALS[node.type]
    match node.type:
        case "null":
            return "null"
        case "identifier" if text_of(node) in template.parameters:
            declared = template.parameters[text_of(node)].kind
            return "array" if declared.endswith("[]") else _DECLARED.get(declared, ANY)
        case "call_expression":
            return _CALLS.get(text_of(node.named_children[0]), ANY)
        case "binary_expression":
            operator = node.child_by_field_name("operator")
            return "bool" if operator is not None and text_of(operator) in _COMPARING else ANY
    return ANY


def branches(template: Template, node: Node) -> list[Node]:
    """Return every expression that a conditional one may come to."""
    node = definition(template, node) if node.type != "for_statement" else node
    if node.type != "ternary_expression":
        return [node]
    sides = [node.child_by_field_name(name) for name in ("consequence", "alternative")]
    return [found for side in sides if side is not None for found in branches(template, side)]
