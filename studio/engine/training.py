"""The training experiment, end to end: read, split, train, evaluate, pack."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.engine.cross_validation import cross_validate
from studio.engine.csv_file import CsvFile
from studio.engine.dataset import Dataset, read_dataset
from studio.engine.design import Design
from studio.engine.errors import ModelFileError, ModuleError
from studio.engine.evaluation import Evaluation, evaluate, metrics_table
from studio.engine.experiment import Experiment
from studio.engine.filling import settled
from studio.engine.fitting import Rows, Trainer
from studio.engine.learners import Model
from studio.engine.model_file import DataOrigin, ModelFile, scored_by
from studio.engine.ports import Output
from studio.engine.schema import Schema
from studio.engine.scored_columns import ScoredColumns
from studio.engine.scored_rows import fold_rows, scored_rows
from studio.engine.split import training_rows
from studio.engine.table_file import ResultTable
from studio.engine.training_file import open_training_file
from studio.engine.tuning import sweep

__all__ = ["ModuleError", "Summary", "Trained", "train"]

_LIBRARIES = ("numpy", "pyarrow")

_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Summary:
    """What a training was and what came of it; metrics are those of the test rows and may be NaN."""

    data: DataOrigin
    metrics: Mapping[str, float]
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Trained:
    """
    The outputs of a training experiment.

    `model_file` is the bytes of the `.ilearner`, `metrics_csv` the metrics as CSV; `tables` holds every output but the
    model, by the name of its port.
    """

    model_file: bytes
    metrics_csv: bytes
    tables: Mapping[str, ResultTable]
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
        extension: `.csv`, `.tsv`, `.nh.csv`, `.nh.tsv` or `.arff`.
        threads: For reading and growing, at most; see `TreeGrower` for what they change.
        parameters: Web service parameters of this call.
        progress: Told each step as it begins.

    Raises:
        ModuleError: The file or a parameter cannot be used; says what, where and what to do.
        LibraryMissing: LightGBM or the OpenMP runtime is not installed.
    """
    experiment = experiment.with_parameters(parameters or {})
    with ThreadPoolExecutor(1) as beside, open_training_file(path, extension, experiment.schema) as file:
        # Hashing waits for nobody, and nobody for it; reading has need of all cores, what comes after it of one.
        return _Training(
            experiment, file, lambda: beside.submit(_sha256, path), threads, progress or (lambda _: None)
        ).run()


class _Training:
    """One run of an experiment; each step adds to `_outputs`, and is told to whoever listens."""

    def __init__(
        self,
        experiment: Experiment,
        file: CsvFile,
        hashing: Callable[[], Future[str]],
        threads: int,
        tell: Callable[[str], None],
    ) -> None:
        self._experiment = experiment
        self._file = file
        self._hashing = hashing
        self._threads = threads
        self._tell = tell
        self._outputs: dict[Output, ResultTable] = {}

    def run(self) -> Trained:
        self._tell("reading the data")
        experiment = self._experiment
        dataset = read_dataset(self._file, experiment.schema, experiment.learner.task, threads=self._threads)
        sha256 = self._hashing()
        chosen = training_rows(dataset.labels, len(dataset.classes), experiment.split)
        rows = Rows(dataset.features, dataset.labels)
        training, test = rows.chosen(chosen), rows.chosen(~chosen)
        trainer = Trainer(experiment.learner, dataset.classes, dataset.schema, dataset.levels, self._threads)
        trainer = self._tuned(trainer, training)
        fills = trainer.fills(training)
        training, test = training.filled(fills), test.filled(fills)
        self._tell(f"training on {len(training)} of {dataset.n_rows} rows")
        model = trainer.fit(training)
        self._tell(f"evaluating on {len(test)} rows")
        answers = trainer.answers(model, test.features)
        evaluations = [evaluate(trainer.learner, test.labels, answers), *self._compared(trainer, training, test)]
        origin = DataOrigin(sha256.result(), dataset.n_rows, len(training), len(test))
        packed = self._packed(settled(dataset.schema, fills, dataset.levels), trainer, model, evaluations[0], origin)
        self._score(dataset, trainer, dataset.in_file(~chosen), answers)
        self._cross_validate(dataset, trainer, rows)
        self._outputs[Output.METRICS] = metrics_table(*evaluations)
        ports = {name: self._outputs[kind] for name, kind in experiment.outputs.items() if kind in self._outputs}
        summary = Summary(origin, evaluations[0].metrics, packed.libraries)
        return Trained(_written(packed), self._outputs[Output.METRICS].csv, ports, summary)

    def _tuned(self, trainer: Trainer, training: Rows) -> Trainer:
        tuning = self._experiment.options.tuning
        if tuning is None:
            return trainer
        self._tell(f"sweeping over parameters in {tuning.runs} runs")
        found = sweep(trainer, training, tuning, stratified=self._experiment.split.stratified)
        self._outputs[Output.SWEEP] = found.table()
        return replace(trainer, learner=found.best)

    def _compared(self, trainer: Trainer, training: Rows, test: Rows) -> list[Evaluation]:
        learner = self._experiment.options.compared
        if learner is None:
            return []
        self._tell(f"training {learner.name} to compare")
        other = replace(trainer, learner=learner)
        return [evaluate(learner, test.labels, other.answers(other.fit(training), test.features))]

    def _score(self, dataset: Dataset, trainer: Trainer, mask: _Mask, answers: NDArray[np.float64]) -> None:
        if Output.SCORED in self._experiment.outputs.values():
            scored = self._scored(dataset, trainer)
            self._outputs[Output.SCORED] = scored_rows(self._file, dataset.schema, mask, scored, answers)

    def _cross_validate(self, dataset: Dataset, trainer: Trainer, rows: Rows) -> None:
        options = self._experiment.options.cross_validation
        if options is None:
            return
        self._tell(f"cross-validating in {options.folds} folds")
        found = cross_validate(trainer, rows, options)
        self._outputs[Output.FOLDS] = found.table()
        if Output.FOLD_SCORES in self._experiment.outputs.values():
            scored = self._scored(dataset, trainer)
            self._outputs[Output.FOLD_SCORES] = fold_rows(self._file, dataset.schema, dataset.kept, scored, found)

    def _scored(self, dataset: Dataset, trainer: Trainer) -> ScoredColumns:
        return scored_by(Design(dataset.schema, self._experiment.split, trainer.learner), dataset.classes)

    def _packed(
        self, schema: Schema, trainer: Trainer, model: Model, evaluation: Evaluation, origin: DataOrigin
    ) -> ModelFile:
        return ModelFile(
            experiment=self._experiment.name,
            schema=schema,
            classes=trainer.classes,
            levels=trainer.levels,
            split=self._experiment.split,
            learner=trainer.learner,
            metrics=evaluation.metrics,
            data=origin,
            libraries={name: version(name) for name in (*_LIBRARIES, trainer.learner.kind.library)},
            model=model,
        )


def _written(file: ModelFile) -> bytes:
    try:
        return file.write()
    except ModelFileError as problem:
        advice = "grow fewer or smaller trees, use fewer nodes, or drop columns with many levels"
        raise ModuleError("Train Model", 138, f"the model is too large: {problem.problem}; {advice}") from problem


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
