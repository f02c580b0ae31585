"""An experiment: which data, which split, which learner, which ports. Read from TOML; no I/O."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from studio.engine.design import SPLIT_RULES, Design, Split, read_design
from studio.engine.errors import ExperimentError
from studio.engine.learners import Learner
from studio.engine.options import Options, read_options, skip_options
from studio.engine.parameters import Parameters, read_parameters
from studio.engine.ports import Output, Ports, read_ports
from studio.engine.schema import ColumnType, Schema
from studio.engine.score_module import PREFIX, ScoreModule
from studio.engine.score_settings import ScoreSettings, read_score_settings, score_rules
from studio.engine.sections import Section
from studio.engine.settings import AnyRule, Setting

__all__ = ["Experiment", "ExperimentError", "Split", "parse_experiment"]


@dataclass(frozen=True)
class Experiment:
    """
    One training experiment.

    `parameters` are those of the training web service; the predictive one's are in `score`. `source_text` is the
    declaration itself, ready to be stored.
    """

    name: str
    schema: Schema
    split: Split
    learner: Learner
    score: ScoreModule
    options: Options
    ports: Ports
    parameters: Parameters
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

    def with_parameters(self, given: Mapping[str, str]) -> Experiment:
        """
        Return the experiment with the training's web service parameters of one call applied.

        Raises:
            ModuleError: A parameter is unknown, required but absent, or not a value of the setting it sets.
        """
        split, learner = asdict(self.split), dict(self.learner.parameters)
        for target, value in self.parameters.read(given).items():
            part, _, key = target.partition(".")
            (split if part == "split" else learner)[key] = value
        return replace(self, split=Split(**split), learner=replace(self.learner, parameters=learner))


def parse_experiment(text: str, source: str) -> Experiment:
    """
    Read a declaration.

    Args:
        text: TOML; docs/experiments.md shows every key.
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
        root.section("score")
        return None
    options = read_options(root, design)
    ports = read_ports(service, options)
    service.close()
    score = read_score_settings(root.section("score"), design.learner.kind.answers)
    training, scoring = _read_parameters(declared, name, design, score)
    return Experiment(
        name=name,
        schema=design.schema,
        split=design.split,
        learner=design.learner,
        score=ScoreModule(score, scoring),
        options=options,
        ports=ports,
        parameters=training,
        source_text=text,
    )


def _read_parameters(
    section: Section, owner: str, design: Design, score: ScoreSettings
) -> tuple[Parameters, Parameters]:
    """Read the one table of parameters into those of the training and those of the predictive web service."""
    learner = design.learner
    rules: dict[str, AnyRule] = {
        **{f"split.{name}": rule for name, rule in SPLIT_RULES.items()},
        **{f"learner.{name}": rule for name, rule in learner.kind.rules.items()},
        **{f"{PREFIX}{name}": rule for name, rule in score_rules(learner.kind.answers).items()},
    }
    settings: dict[str, Setting] = {
        **{f"split.{name}": value for name, value in asdict(design.split).items()},
        **{f"learner.{name}": value for name, value in learner.parameters.items()},
        **{f"{PREFIX}{name}": value for name, value in score.values.items()},
    }
    declared = read_parameters(section, owner, rules, settings).declared
    scoring = {name: one for name, one in declared.items() if one.target.startswith(PREFIX)}
    training = {name: one for name, one in declared.items() if name not in scoring}
    return Parameters(owner, training), Parameters(owner, scoring)
