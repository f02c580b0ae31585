"""The section `contract`, or the file that it names: what a training file must hold."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.data.contract import SEPARATORS, BadRows, Column, Contract, Kind, Overlap
from shared.domain.task import Task

_COLUMN_KEYS = ("kind", "max_missing", "required", "values")


def read_contract(section: Section, task: Task) -> Contract:
    """Read the contract of a model with this task."""
    label = section.text("label")
    max_missing = section.number("max_missing", 1.0, 0, 1)
    specs = section.table("columns", None)
    columns = tuple(_read_column(section, name, spec, max_missing) for name, spec in specs.items())
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
        section.integer("min_rows", 1, 1),
        frozenset(map(str, missing)),
        task=task,
        positive=positive,
        separator=_read_separator(section),
        bad_rows=BadRows(section.choice("bad_rows", (rule.value for rule in BadRows), BadRows.REFUSE.value)),
        max_bad_share=section.number("max_bad_share", Contract.max_bad_share, 0, 1),
        overlap=Overlap(section.choice("holdout_overlap", (rule.value for rule in Overlap), Overlap.WARN.value)),
    )
    section.close()
    return contract


def _read_separator(section: Section) -> str:
    separator = section.text("separator", ",")
    if separator not in SEPARATORS:
        known = ", ".join('"\\t"' if mark == "\t" else f'"{mark}"' for mark in SEPARATORS)
        section.wrong("separator", f"expected one of {known}, got '{separator[:20]}'")
        return ","
    return separator


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
    values = f"columns.{label.name}.values"
    if task is Task.TWO_CLASS and label.values and len(label.values) != 2:
        section.wrong(values, f"a two-class label has two values, these are {len(label.values)}")
    if task is Task.MULTICLASS and len(label.values) == 1:
        section.wrong(values, "a label has at least two values, this is one")


def _read_column(section: Section, name: str, spec: object, max_missing: float) -> Column:
    fields = {"kind": spec} if isinstance(spec, str) else spec
    at = f"columns.{name}"
    kinds = [kind.value for kind in Kind]
    if not isinstance(fields, dict) or fields.get("kind") not in kinds:
        section.wrong(at, f"expected one of {', '.join(kinds)}, or {{ kind = …, values = […], required = … }}")
        return Column(name, Kind.CATEGORY)
    for extra in sorted(fields.keys() - set(_COLUMN_KEYS)):
        section.wrong(f"{at}.{extra}", f"is not known here; known are {', '.join(_COLUMN_KEYS)}")
    if not isinstance(fields.get("required", False), bool):
        section.wrong(f"{at}.required", "expected true or false")
    values = fields.get("values", [])
    if not isinstance(values, list):
        section.wrong(f"{at}.values", "expected a list of texts")
        values = []
    share = fields.get("max_missing", max_missing)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        section.wrong(f"{at}.max_missing", "expected a share from 0 to 1")
        share = 1.0
    required = bool(fields.get("required", False))
    return Column(name, Kind(fields["kind"]), frozenset(map(str, values)), required, float(share))
