"""An experiment: which data, which split, which learner, which ports. Read from TOML; no I/O."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from studio.engine.design import SPLIT_RULES, Split, read_design
from studio.engine.errors import ExperimentError, ModuleError
from studio.engine.learners import Learner
from studio.engine.options import Options, read_options, skip_options
from studio.engine.ports import Output, Ports, read_ports
from studio.engine.schema import ColumnType, Schema
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Setting, setting_text

__all__ = ["Experiment", "ExperimentError", "Split", "parse_experiment"]


@dataclass(frozen=True)
class Experiment:
    """
    One training experiment.

    `targets` names the setting that each web service parameter sets (`split.seed`, `learner.Learning rate`), and
    `required` the parameters that have no default. `source_text` is the declaration itself, ready to be stored.
    """

    name: str
    schema: Schema
    split: Split
    learner: Learner
    options: Options
    ports: Ports
    targets: Mapping[str, str]
    required: frozenset[str]
    source_text: str

    @property
    def columns(self) -> Mapping[str, ColumnType]:
        """Column names and types, in the order of the web service's input."""
        return self.schema.columns

    @property
    def label(self) -> str:
        """The column that the model predicts."""
        return self.schema.label

    @property
    def input_name(self) -> str:
        """The web service's input."""
        return self.ports.input_name

    @property
    def outputs(self) -> Mapping[str, Output]:
        """The web service's outputs: port name to what comes out of it."""
        return self.ports.outputs

    @property
    def model_output(self) -> str:
        """The port of the trained model."""
        return self.ports.name_of(Output.MODEL)

    @property
    def metrics_output(self) -> str:
        """The port of the metrics."""
        return self.ports.name_of(Output.METRICS)

    @property
    def resource_name(self) -> str:
        """What endpoint management calls the trained model: `A: why?` gives `A why [trained model]`."""
        return re.sub(r'[<>:"/\\|?*]', "", self.name) + " [trained model]"

    @property
    def parameters(self) -> Mapping[str, str | None]:
        """Web service parameters: name to default, None where the caller has to give a value."""
        return {
            name: None if name in self.required else setting_text(self._setting(target))
            for name, target in self.targets.items()
        }

    def with_parameters(self, given: Mapping[str, str]) -> Experiment:
        """
        Return the experiment with the web service parameters of one call applied.

        Raises:
            ModuleError: A parameter is unknown, required but absent, or not a value of the setting it sets.
        """
        absent = sorted(self.required - given.keys())
        if absent:
            raise ModuleError(self.name, 3, f"web service parameter(s) {absent} have no default: give each a value")
        changed = self
        for name, text in given.items():
            changed = changed._with_parameter(name, text)
        return changed

    def _with_parameter(self, name: str, text: str) -> Experiment:
        if name not in self.targets:
            raise ModuleError(self.name, 2, f"'{name}' is no web service parameter; known are {list(self.targets)}")
        target = self.targets[name]
        try:
            return self._with_setting(target, _rules(self.learner)[target].accept_text(text))
        except ValueError as problem:
            raise ModuleError(self.name, 8, f"web service parameter '{name}': {problem}") from problem

    def _with_setting(self, target: str, value: Setting) -> Experiment:
        part, _, key = target.partition(".")
        if part == "split":
            return replace(self, split=replace(self.split, **{key: value}))  # type: ignore[arg-type]  # by rule
        return replace(self, learner=replace(self.learner, parameters={**self.learner.parameters, key: value}))

    def _setting(self, target: str) -> Setting:
        part, _, key = target.partition(".")
        value: Setting = getattr(self.split, key) if part == "split" else self.learner.parameters[key]
        return value


def parse_experiment(text: str, source: str) -> Experiment:
    """
    Read a declaration.

    Args:
        text: TOML; examples/census/experiment.toml shows every key.
        source: Where it came from, for error texts.

    Raises:
        ExperimentError: Something is wrong with it; names every problem found.
    """
    try:
        root = Section(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ExperimentError(source, [f"not valid TOML: {problem}"]) from problem
    experiment = _read_experiment(root, text)
    root.close()
    if experiment is None or root.problems:
        raise ExperimentError(source, root.problems)
    return experiment


def _read_experiment(root: Section, text: str) -> Experiment | None:
    name = root.text("name")
    design = read_design(root)
    service = root.section("web_service")
    declared = service.section("parameters")
    if design is None:
        skip_options(root)
        return None
    options = read_options(root, design)
    ports = read_ports(service, options)
    service.close()
    targets, required = _read_parameters(declared, _rules(design.learner))
    return Experiment(
        name=name,
        schema=design.schema,
        split=design.split,
        learner=design.learner,
        options=options,
        ports=ports,
        targets=targets,
        required=required,
        source_text=text,
    )


def _read_parameters(declared: Section, rules: Mapping[str, AnyRule]) -> tuple[dict[str, str], frozenset[str]]:
    targets, required = {}, set()
    for name, _ in declared.items():
        entry = declared.section(name)
        targets[name] = entry.text("sets") if entry.values else ""
        if targets[name] and targets[name] not in rules:
            entry.report("sets", f"there is no setting '{targets[name]}'; known are {list(rules)}")
        if entry.flag("required"):
            required.add(name)
        entry.close()
    return targets, frozenset(required)


def _rules(learner: Learner) -> dict[str, AnyRule]:
    split = {f"split.{name}": rule for name, rule in SPLIT_RULES.items()}
    return split | {f"learner.{name}": rule for name, rule in learner.kind.rules.items()}
