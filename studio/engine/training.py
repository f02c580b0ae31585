"""The training experiment, end to end: read, split, train, evaluate, pack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from studio.engine.dataset import Dataset, read_dataset
from studio.engine.errors import ModelFileError, ModuleError
from studio.engine.evaluation import Evaluation, evaluate, metrics_csv
from studio.engine.experiment import Experiment
from studio.engine.fitting import Trainer, decoded
from studio.engine.learners import Model
from studio.engine.model_file import DataOrigin, ModelFile
from studio.engine.split import training_rows

__all__ = ["ModuleError", "Summary", "Trained", "train"]

_LIBRARIES = ("numpy", "pyarrow")


@dataclass(frozen=True)
class Summary:
    """What a training was and what came of it; metrics are those of the test rows and may be NaN."""

    data: DataOrigin
    metrics: Mapping[str, float]
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Trained:
    """The outputs of a training experiment: the bytes of the `.ilearner`, and of the metrics as CSV."""

    model_file: bytes
    metrics_csv: bytes
    summary: Summary


def train(
    experiment: Experiment,
    path: Path,
    extension: str,
    *,
    threads: int,
    parameters: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Trained:
    """
    Run a training experiment on one local file. Equal files, declarations and libraries give equal bytes.

    Args:
        extension: `.csv`, `.tsv`, `.nh.csv` or `.nh.tsv`.
        threads: For reading and growing; the result does not depend on it.
        parameters: Web service parameters of this call.
        progress: Told each step as it begins.

    Raises:
        ModuleError: The file or a parameter cannot be used; says what, where and what to do.
        LibraryMissing: LightGBM or the OpenMP runtime is not installed.
    """
    tell = progress or (lambda _: None)
    experiment = experiment.with_parameters(parameters or {})
    tell("reading the data")
    dataset = read_dataset(path, extension, experiment.schema, experiment.learner.task, threads=threads)
    chosen = training_rows(dataset.labels, len(dataset.classes), experiment.split)
    (training, test), levels = decoded(dataset, (chosen, ~chosen))
    trainer = Trainer(experiment.learner, dataset.classes, dataset.schema.features, levels, threads)
    tell(f"training on {len(training)} of {dataset.n_rows} rows")
    model = trainer.fit(training)
    tell(f"evaluating on {len(test)} rows")
    evaluation = evaluate(trainer.learner, test.labels, trainer.answers(model, test.features))
    origin = DataOrigin(_sha256(path), dataset.n_rows, len(training), len(test))
    return _pack(experiment, dataset, trainer, model, evaluation, origin)


def _pack(
    experiment: Experiment,
    dataset: Dataset,
    trainer: Trainer,
    model: Model,
    evaluation: Evaluation,
    origin: DataOrigin,
) -> Trained:
    file = ModelFile(
        experiment=experiment.name,
        schema=dataset.schema,
        classes=dataset.classes,
        levels=trainer.levels,
        split=experiment.split,
        learner=trainer.learner,
        metrics=evaluation.metrics,
        data=origin,
        libraries={name: version(name) for name in (*_LIBRARIES, trainer.learner.kind.library)},
        model=model,
    )
    try:
        model_file = file.write()
    except ModelFileError as problem:
        advice = "grow fewer or smaller trees, use fewer nodes, or drop columns with many levels"
        raise ModuleError("Train Model", 138, f"the model is too large: {problem.problem}; {advice}") from problem
    return Trained(model_file, metrics_csv(evaluation), Summary(origin, evaluation.metrics, file.libraries))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
