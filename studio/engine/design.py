"""What a model is trained by: columns, label, split and learner. One reader for declarations and for model files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.engine.learners import Learner, read_learner
from studio.engine.schema import Schema
from studio.engine.schema_section import read_schema
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Rule
from studio.engine.task import Task

SPLIT_RULES: Mapping[str, AnyRule] = {
    "fraction": Rule(float, 0.7, 0.01, 0.99),
    "seed": Rule(int, 0),
    "stratified": Rule(bool, False),
}


@dataclass(frozen=True)
class Split:
    """Which rows train: `fraction` of them (0 < fraction < 1), drawn by `seed`, per label when `stratified`."""

    fraction: float
    seed: int
    stratified: bool


@dataclass(frozen=True)
class Design:
    """Columns and label, which rows train, and what is trained."""

    schema: Schema
    split: Split
    learner: Learner


def read_design(root: Section) -> Design | None:
    """Read the sections of a design; None, with a problem reported, where no learner is named."""
    schema = read_schema(root)
    section = root.section("split")
    split = Split(**section.settings(SPLIT_RULES))  # type: ignore[arg-type]  # each rule checked its kind
    section.close()
    learner = read_learner(root.section("learner", required=True))
    if learner is None:
        return None
    _check_task(root, schema, split, learner.task)
    return Design(schema, split, learner)


def _check_task(root: Section, schema: Schema, split: Split, task: Task) -> None:
    kind = schema.columns.get(schema.label)
    if task is not Task.TWO_CLASS and schema.positive_label is not None:
        root.report("label.positive", f"a {task.value} learner has no positive label: leave it out")
    if task is Task.REGRESSION and kind is not None and not kind.is_number:
        root.report("label.column", f"a regression learner predicts a number; '{schema.label}' is {kind.value}")
    if task is Task.REGRESSION and split.stratified:
        root.report("split.stratified", "a number has no classes to stratify by: leave it out")
