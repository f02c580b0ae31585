"""What the batch jobs of a web service take and put out: one description for submission, help pages and swagger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.wire import MODEL_EXTENSION
from studio.engine.experiment import Experiment
from studio.engine.parameters import Parameters
from studio.engine.ports import Output
from studio.services.catalog import Kind
from studio.serving.scoring import OUTPUT_NAME

INPUT_EXTENSIONS = (".csv", ".tsv", ".nh.csv", ".nh.tsv", ".arff")
DATASET_EXTENSIONS = (".csv", ".tsv", ".arff")  # `.nh.csv` and `.nh.tsv` end like the first two

_WHAT = {
    Output.MODEL: "Trained model",
    Output.METRICS: "Evaluation results",
    Output.SCORED: "Scored test rows",
    Output.FOLDS: "Cross-validation results",
    Output.FOLD_SCORES: "Rows scored in their folds",
    Output.SWEEP: "Results of the sweep",
}


@dataclass(frozen=True)
class OutputPort:
    """What comes out of an output, and how the blob that takes it may end; the first ending is the default place's."""

    what: str
    extensions: tuple[str, ...]


@dataclass(frozen=True)
class JobPorts:
    """The input, the outputs by name, and the web service parameters."""

    input_name: str
    outputs: Mapping[str, OutputPort]
    parameters: Parameters

    @property
    def first_output(self) -> str:
        """What the oldest bodies' singular `Output` means."""
        return next(iter(self.outputs))


def job_ports(kind: Kind, experiment: Experiment) -> JobPorts:
    """Describe the jobs of an experiment's training or predictive web service."""
    if kind is Kind.PREDICTIVE:
        scored = OutputPort("Scored rows", DATASET_EXTENSIONS)
        return JobPorts(experiment.input_name, {OUTPUT_NAME: scored}, experiment.score.parameters)
    outputs = {name: _port(output) for name, output in experiment.outputs.items()}
    return JobPorts(experiment.input_name, outputs, experiment.parameters)


def _port(output: Output) -> OutputPort:
    return OutputPort(_WHAT[output], (MODEL_EXTENSION,) if output is Output.MODEL else DATASET_EXTENSIONS)
