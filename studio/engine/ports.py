"""The ports of an experiment's web service: its input, and what it puts out under which name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from studio.engine.options import Options
from studio.engine.sections import Section


class Output(Enum):
    """What an experiment can put out; the value is the key that names its port in a declaration."""

    MODEL = "model_output"
    METRICS = "metrics_output"
    SCORED = "scored_output"
    FOLDS = "folds_output"
    FOLD_SCORES = "fold_scores_output"
    SWEEP = "sweep_output"


_DEFAULTS = {Output.MODEL: "output1", Output.METRICS: "output2"}


@dataclass(frozen=True)
class Ports:
    """`outputs` maps port names to what comes out of them; the model and the metrics are always among it."""

    input_name: str
    outputs: Mapping[str, Output]

    def name_of(self, output: Output) -> str:
        """Return the port of an output that is always there."""
        return next(name for name, found in self.outputs.items() if found is output)


def read_ports(service: Section, options: Options) -> Ports:
    """Read the ports; problems are added to the section."""
    outputs: dict[str, Output] = {}
    for output in Output:
        if output not in _DEFAULTS and output.value not in service.values:
            service.text(output.value, "")
            continue
        name = service.text(output.value, _DEFAULTS.get(output))
        if name in outputs:
            service.report(output.value, f"'{name}' names two outputs: give each its own name")
        outputs.setdefault(name, output)
    _check_options(service, options, set(outputs.values()))
    return Ports(service.text("input", "input1"), outputs)


def _check_options(service: Section, options: Options, outputs: set[Output]) -> None:
    needed = {
        Output.FOLDS: (options.cross_validation, "cross_validate"),
        Output.FOLD_SCORES: (options.cross_validation, "cross_validate"),
        Output.SWEEP: (options.tuning, "tune"),
    }
    for output, (option, section) in needed.items():
        if output in outputs and option is None:
            service.report(output.value, f"there is no section [{section}] that would fill it")
    if options.cross_validation and not outputs & {Output.FOLDS, Output.FOLD_SCORES}:
        service.report(Output.FOLDS.value, "is required: nobody would see what the cross-validation finds")
