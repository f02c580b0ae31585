"""The data part of a declaration, and of a model file's manifest: columns, label, features, missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.booleans import FALSE, TRUE
from studio.engine.errors import shown
from studio.engine.schema import ColumnType, MissingRule, Schema
from studio.engine.scored_columns import reserved
from studio.engine.sections import Section
from studio.engine.settings import is_number

_MAX_COLUMNS = 4096
_RULES_OF_OTHERS = (MissingRule.MODE, MissingRule.REMOVE_ROW)  # a text and a truth have no mean and no median


def read_schema(root: Section) -> Schema:
    """Read the sections `columns`, `label`, `features` and `missing`; problems are added to the sections."""
    columns = _read_columns(root.section("columns", required=True))
    label, features, missing = (root.section(key, required=key == "label") for key in ("label", "features", "missing"))
    fills, rules = _read_fills(missing.section("fill"), columns)
    schema = Schema(
        columns=columns,
        label=label.text("column") if label.values else "",
        positive_label=label.text("positive", "") or None,
        dropped=_read_dropped(features, columns, label.values.get("column")),
        missing=missing.texts("texts", ("",)),
        fills=fills,
        rules=rules,
    )
    _check_label(schema, label, missing)
    _check_rules(schema, missing)
    if schema.columns and not schema.features:
        features.report("drop", "no column is left to learn from")
    for section in (label, features, missing):
        section.close()
    return schema


def schema_section(schema: Schema) -> dict[str, object]:
    """Write the sections that `read_schema` reads."""
    positive = {} if schema.positive_label is None else {"positive": schema.positive_label}
    rules = {name: {"rule": rule.value} for name, rule in schema.rules.items()}
    return {
        "columns": {name: kind.value for name, kind in schema.columns.items()},
        "label": {"column": schema.label, **positive},
        "features": {"drop": list(schema.dropped)},
        "missing": {"texts": list(schema.missing), "fill": {**_fill_values(schema), **rules}},
    }


def _fill_values(schema: Schema) -> dict[str, object]:
    booleans = {name for name in schema.fills if schema.columns[name] is ColumnType.BOOLEAN}
    return {name: bool(value) if name in booleans else value for name, value in schema.fills.items()}


def _read_columns(section: Section) -> dict[str, ColumnType]:
    kinds = {kind.value: kind for kind in ColumnType}
    if len(section.values) > _MAX_COLUMNS:
        section.report("*", f"{len(section.values)} columns; at most {_MAX_COLUMNS} are allowed")
        return {}
    for name, value in section.items():
        if not name.strip() or reserved(name):
            section.report(name, "cannot be the name of an input column")
        elif not isinstance(value, str) or value not in kinds:
            section.report(name, f"expected one of {list(kinds)}, got {shown(value)}")
    return {name: kinds.get(str(value), ColumnType.CATEGORICAL) for name, value in section.items()}


def _read_fills(
    section: Section, columns: Mapping[str, ColumnType]
) -> tuple[dict[str, str | float], dict[str, MissingRule]]:
    fills: dict[str, str | float] = {}
    rules: dict[str, MissingRule] = {}
    for name, value in section.items():
        kind = columns.get(name)
        if kind is None:
            section.report(name, "is not one of the columns")
        elif isinstance(value, dict):
            rules |= _read_rule(section.section(name), name, kind)
        else:
            fill = _fill(value, kind)
            if fill is None:
                section.report(name, f"{shown(value)} is no value of a column of type {kind.value}")
            else:
                fills[name] = fill
    return fills, rules


def _fill(value: Any, kind: ColumnType) -> str | float | None:
    if kind.is_text:
        return value if value and isinstance(value, str) else None
    if kind is ColumnType.BOOLEAN:
        return float(value) if isinstance(value, bool) else None
    return float(value) if is_number(value, whole=kind is ColumnType.INTEGER) else None


def _read_rule(section: Section, name: str, kind: ColumnType) -> dict[str, MissingRule]:
    known = {rule.value: rule for rule in (MissingRule if kind.is_number else _RULES_OF_OTHERS)}
    text = section.text("rule")
    section.close()
    if text and text not in known:
        section.report("rule", f"{shown(text)} is no rule for a column of type {kind.value}; it has {list(known)}")
    return {name: known[text]} if text in known else {}


def _check_label(schema: Schema, label: Section, missing: Section) -> None:
    if schema.label and schema.label not in schema.columns:
        label.report("column", f"'{schema.label}' is not one of the columns")
    is_boolean = schema.columns.get(schema.label) is ColumnType.BOOLEAN
    if is_boolean and schema.positive_label not in (TRUE, FALSE, None):
        label.report("positive", f"'{schema.label}' is Boolean: expected '{TRUE}' or '{FALSE}'")
    if schema.label in schema.fills or schema.rules.get(schema.label) not in (None, MissingRule.REMOVE_ROW):
        missing.report("fill", f"'{schema.label}' is the label: an invented label would be learned as truth")


def _check_rules(schema: Schema, missing: Section) -> None:
    for name in schema.rules:
        if name in schema.dropped:
            missing.report("fill", f"'{name}' is dropped from the features and never read: it can have no rule")


def _read_dropped(features: Section, columns: Mapping[str, ColumnType], label: object) -> tuple[str, ...]:
    dropped = dict.fromkeys(features.texts("drop", ()))
    for name in dropped:
        if name not in columns or name == label:
            reason = "is the label" if name == label else "is not one of the columns"
            features.report("drop", f"{shown(name)} {reason}")
    return tuple(name for name in dropped if name in columns)
