"""docs/gate.md: its examples are read as they stand, its tables hold what the code knows."""

from __future__ import annotations

import math
import re
import tomllib

import pytest

from shared.declarations.approval_section import read_approval
from shared.declarations.drift_section import read_drift
from shared.declarations.gate_section import read_rule
from shared.declarations.section import Section
from shared.domain.data.contract import Contract
from shared.domain.gate import Fault, Outcome
from shared.domain.measuring.metrics import METRICS
from shared.domain.task import Task
from shared.settings import ROOT

PAGE = (ROOT / "docs" / "gate.md").read_text()
EXAMPLES = re.findall(r"```toml\n# (task|section): (\S+)\n(.*?)```", PAGE, re.S)


@pytest.mark.parametrize(("kind", "of", "text"), EXAMPLES)
def test_an_example_is_read_without_a_problem(kind: str, of: str, text: str) -> None:
    problems: list[str] = []
    root = Section("", tomllib.loads(text), {}, problems)

    if kind == "task":
        read_rule(root.section("gate"), Task(of))
    elif of == "drift":
        read_drift(root, Contract((), "label"))
    else:
        read_approval(root.section(of))

    assert problems == []


def test_there_are_examples_for_every_task() -> None:
    assert {of for kind, of, _ in EXAMPLES if kind == "task"} == {task.value for task in Task}


def test_every_metric_is_listed_with_direction_range_and_zero() -> None:
    for metric in METRICS.values():
        better = "higher" if metric.higher_is_better else "lower"
        limits = f"{_end(metric.low)} … {_end(metric.high)}"
        assert f"| {metric.task.value} | {metric.name} | {better} | {limits} | {metric.zero} |" in PAGE


def test_every_fault_and_verdict_is_explained() -> None:
    assert all(f"`{fault.value}`" in PAGE for fault in Fault)
    assert all(f"| {outcome.value} |" in PAGE for outcome in Outcome)


def _end(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else "∞" if value > 0 else "−∞"
