"""A gate with some keys changed, as if models.toml said so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.declarations.gate_section import read_rule
from shared.declarations.section import Section
from shared.domain.gate import GateRule
from shared.domain.task import Task
from shared.errors import ConfigError

_OF_METRIC = ("margin", "min_gain", "max_gain", "min_relative_gain", "relative_floor", "mode")


def changed_rule(rule: GateRule, changes: Mapping[str, Any], task: Task) -> GateRule:
    """
    Lay changed keys of the section `gate` over a rule; a table takes the place of the whole table before.

    Raises:
        ConfigError: A key is not known, or its value is none.
    """
    problems: list[str] = []
    changed = read_rule(Section("gate", _section(rule) | dict(changes), {}, problems), task)
    if problems:
        raise ConfigError("the changed gate", problems)
    return changed


def _section(rule: GateRule) -> dict[str, Any]:
    """Write a rule as the section that it is read from."""
    plain = {name: value for name, value in rule.as_json().items() if value is not None}
    first, *others = plain.pop("metrics")
    metric = {name: first[name] for name in _OF_METRIC if first[name] is not None}
    also = {other["metric"]: {name: other[name] for name in _OF_METRIC if other[name] is not None} for other in others}
    return plain | metric | {"metric": first["metric"], "also": also}
