"""The section `contract`: what a training file must hold."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.contract import Column, Contract, Kind
from shared.domain.task import Task


def read_contract(section: Section, task: Task) -> Contract:
    """Read the contract of a model with this task."""
    label = section.text("label")
    columns = tuple(_read_column(section, n, spec) for n, spec in section.table("columns", None).items())
    names = [column.name for column in columns]
    if label and columns and label not in names:
        section.wrong("label", f"'{label}' is none of the columns {', '.join(names)}")
    positive = section.text("positive", None if task is Task.TWO_CLASS else "")
    _check_label(section, next((column for column in columns if column.name == label), None), positive, task)
    missing = section.take("missing", list, ["", "?"])
    if not all(isinstance(text, str) for text in missing):
        section.wrong("missing", "expected a list of texts")
    contract = Contract(
        columns,
        label,
        int(section.number("min_rows", 1, 1)),
        frozenset(map(str, missing)),
        task=task,
        positive=positive,
    )
    section.close()
    return contract


def _check_label(section: Section, label: Column | None, positive: str, task: Task) -> None:
    """Hold the label's column against the task."""
    if positive and task is not Task.TWO_CLASS:
        section.wrong("positive", f"only a two-class model has a positive class; this one's task is {task.value}")
    if label is None:
        return
    if task is Task.REGRESSION and label.kind is Kind.CATEGORY:
        section.wrong("label", f"'{label.name}' is a category; a regression predicts a number or an integer")
    if positive and label.values and positive not in label.values:
        section.wrong("positive", f"'{positive}' is none of the label's values {', '.join(sorted(label.values))}")
    if task is Task.TWO_CLASS and label.values and len(label.values) != 2:
        section.wrong(
            f"columns.{label.name}.values", f"a two-class label has two values, these are {len(label.values)}"
        )
    if task is Task.MULTICLASS and len(label.values) == 1:
        section.wrong(f"columns.{label.name}.values", "a label has at least two values, this is one")


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
