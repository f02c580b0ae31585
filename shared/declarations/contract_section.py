"""The section `contract`: what a training file must hold."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.contract import Column, Contract, Kind


def read_contract(section: Section) -> tuple[Contract, str]:
    """Read the contract, and the label's positive class."""
    label = section.text("label")
    columns = tuple(_read_column(section, n, spec) for n, spec in section.table("columns", None).items())
    names = [column.name for column in columns]
    if label and columns and label not in names:
        section.wrong("label", f"'{label}' is none of the columns {', '.join(names)}")
    positive = section.text("positive")
    values = next((column.values for column in columns if column.name == label), frozenset())
    if positive and values and positive not in values:
        section.wrong("positive", f"'{positive}' is none of the label's values {', '.join(sorted(values))}")
    missing = section.take("missing", list, ["", "?"])
    if not all(isinstance(text, str) for text in missing):
        section.wrong("missing", "expected a list of texts")
    contract = Contract(columns, label, int(section.number("min_rows", 1, 1)), frozenset(map(str, missing)))
    section.close()
    return contract, positive


def _read_column(section: Section, name: str, spec: object) -> Column:
    fields = {"kind": spec} if isinstance(spec, str) else spec
    at = f"columns.{name}"
    kinds = [kind.value for kind in Kind]
    if not isinstance(fields, dict) or fields.get("kind") not in kinds:
        section.wrong(at, f"expected one of {', '.join(kinds)}, or {{ kind = …, values = […], required = … }}")
        return Column(name, Kind.CATEGORY)
    for extra in fields.keys() - {"kind", "values", "required"}:
        section.wrong(f"{at}.{extra}", "is not known here; known are kind, required, values")
    if not isinstance(fields.get("required", False), bool):
        section.wrong(f"{at}.required", "expected true or false")
    values = fields.get("values", [])
    if not isinstance(values, list):
        section.wrong(f"{at}.values", "expected a list of texts")
        values = []
    return Column(name, Kind(fields["kind"]), frozenset(map(str, values)), bool(fields.get("required", False)))
