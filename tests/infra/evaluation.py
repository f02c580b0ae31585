"""What an expression of a Bicep file comes to, as far as the tests need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tree_sitter import Node

from infra.checks.template import Resource, Template, literal, properties, text_of

_CALLS: Mapping[str, Callable[..., Any]] = {
    "toLower": str.lower,
    "replace": str.replace,
    "concat": lambda *lists: [each for part in lists for each in part],
    "endsWith": str.endswith,
    "startsWith": str.startswith,
}


class Evaluation:
    """
    Values of one file's expressions, with some names given (parameters, as a rule).

    What only Azure knows (`vault.id`, another resource's property, an output) stays the text that stands there.
    """

    def __init__(self, template: Template, **given: Any) -> None:
        self._template = template
        self._given = given

    def variable(self, name: str) -> Any:
        """Return what a variable comes to."""
        return self.value(self._template.variables[name])

    def bodies(self, resource: Resource) -> Iterator[dict[str, Any]]:
        """Yield what a resource is declared as, once for each turn of its loop."""
        loop = next((child for child in resource.node.named_children if child.type == "for_statement"), None)
        if loop is None:
            yield self.value(resource.body)
        else:
            yield from self.value(loop)

    def value(self, node: Node) -> Any:
        """Return what an expression comes to."""
        parts = node.named_children
        match node.type:
            case "string":
                return "".join(
                    text_of(part) if part.type == "string_content" else str(self.value(part.named_children[0]))
                    for part in parts
                )
            case "number" | "boolean":
                return int(text_of(node)) if node.type == "number" else text_of(node) == "true"
            case "object":
                return {name: self.value(value) for name, value, _ in properties(node)}
            case "array":
                return [self.value(part) for part in parts if part.type != "comment"]
            case "identifier":
                return self._named(text_of(node))
            case "parenthesized_expression":
                return self.value(parts[0])
            case "unary_expression":
                return not self.value(parts[-1])
            case "ternary_expression":
                condition, yes, no = parts
                return self.value(yes if self.value(condition) else no)
            case "call_expression" if text_of(parts[0]) in _CALLS:
                return _CALLS[text_of(parts[0])](*(self.value(each) for each in parts[1].named_children))
            case "for_statement":
                return list(self._turns(node))
        return self._of_azure(node)

    def _named(self, name: str) -> Any:
        if name in self._given:
            return self._given[name]
        return self.variable(name) if name in self._template.variables else name

    def _turns(self, node: Node) -> Iterator[Any]:
        variables, collection, body = node.named_children
        names = [text_of(each) for each in variables.named_children] or [text_of(variables)]
        for at, each in enumerate(self.value(collection)):
            inner = Evaluation(self._template, **self._given, **dict(zip(names, (each, at), strict=False)))
            yield inner.value(body)

    def _of_azure(self, node: Node) -> Any:
        """An element of a list that is known, else the text."""
        if node.type == "subscript_expression":
            whole, index = node.named_children
            return f"{text_of(whole)}[{self.value(index)}]"
        return literal(node) or text_of(node)
