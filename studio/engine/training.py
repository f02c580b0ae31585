"""The training experiment, end to end: read, split, grow, evaluate, pack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.engine.boosting import Trees, grow_trees
from studio.engine.dataset import Dataset, read_dataset
from studio.engine.errors import ModelFileError, ModuleError
from studio.engine.evaluation import Evaluation, evaluate_two_class
from studio.engine.experiment import Experiment
from studio.engine.learners import TREES
from studio.engine.lightgbm_library import LibraryError
from studio.engine.model_file import DataOrigin, ModelFile
from studio.engine.split import training_rows
from studio.engine.tree_text import TreeTextError, checked_trees

__all__ = ["ModuleError", "Summary", "Trained", "train"]


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


@dataclass(frozen=True)
class _Side:
    """The rows of one side of the split: features `n_rows × n_features`, row-major, and labels."""

    features: NDArray[np.float64]
    labels: NDArray[np.bool_]


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
    dataset = read_dataset(path, extension, experiment.schema, threads=threads)
    chosen = training_rows(dataset.labels, experiment.split)
    training, test, levels = _sides(dataset, chosen)
    tell(f"training on {len(training.labels)} of {dataset.n_rows} rows")
    trees = _grow(experiment, training, threads)
    tell(f"evaluating on {len(test.labels)} rows")
    evaluation = evaluate_two_class(test.labels, _probabilities(trees, test.features, threads))
    origin = DataOrigin(_sha256(path), dataset.n_rows, len(training.labels), len(test.labels))
    return _pack(experiment, dataset, levels, evaluation, origin, trees)


def _sides(dataset: Dataset, chosen: NDArray[np.bool_]) -> tuple[_Side, _Side, dict[str, tuple[str, ...]]]:
    """Decode column by column into the two matrices, so that at most one column is there twice."""
    names = dataset.schema.features
    n_chosen = int(chosen.sum())
    training = np.empty((n_chosen, len(names)), np.float64)
    test = np.empty((len(chosen) - n_chosen, len(names)), np.float64)
    levels = {}
    for at, name in enumerate(names):
        feature = dataset.feature(name)
        training[:, at], test[:, at] = feature.values[chosen], feature.values[~chosen]
        if feature.levels is not None:
            levels[name] = feature.levels
    return _Side(training, dataset.labels[chosen]), _Side(test, dataset.labels[~chosen]), levels


def _grow(experiment: Experiment, side: _Side, threads: int) -> str:
    learner = experiment.learner
    try:
        text = grow_trees(
            side.features,
            side.labels.astype(np.float32),
            categorical=experiment.schema.categorical_features,
            n_trees=int(learner.parameters[TREES]),
            settings=learner.kind.library_settings(learner.parameters),
            threads=threads,
        )
        return checked_trees(text, side.features.shape[1])
    except (LibraryError, TreeTextError) as problem:
        raise ModuleError("Train Model", 1000, f"the learner failed: {problem}") from problem


def _probabilities(trees: str, features: NDArray[np.float64], threads: int) -> NDArray[np.float64]:
    # From the text that is stored, not from the booster that grew it: what is measured is what will serve.
    answers = Trees(trees, features.shape[1]).probabilities(features.ctypes.data, len(features), threads=threads)
    return np.ctypeslib.as_array(answers)


def _pack(
    experiment: Experiment,
    dataset: Dataset,
    levels: Mapping[str, tuple[str, ...]],
    evaluation: Evaluation,
    origin: DataOrigin,
    trees: str,
) -> Trained:
    model = ModelFile(
        experiment=experiment.name,
        schema=dataset.schema,
        negative_label=dataset.negative_label,
        levels=levels,
        split=experiment.split,
        learner=experiment.learner,
        metrics=evaluation.metrics,
        data=origin,
        libraries={name: version(name) for name in ("lightgbm", "numpy", "pyarrow")},
        trees=trees,
    )
    try:
        model_file = model.write()
    except ModelFileError as problem:
        advice = "grow fewer or smaller trees, or drop columns with many levels"
        raise ModuleError("Train Model", 138, f"the model is too large: {problem.problem}; {advice}") from problem
    return Trained(model_file, evaluation.to_csv(), Summary(origin, evaluation.metrics, model.libraries))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
