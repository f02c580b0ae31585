"""Cross-Validate Model: every row is scored by a model that was trained without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation import Evaluation, evaluate
from studio.engine.fitting import Rows, Trainer
from studio.engine.number_text import number_text
from studio.engine.options import CrossValidation
from studio.engine.schema import ColumnType
from studio.engine.scored_columns import Answers
from studio.engine.split import check_training_rows, row_groups
from studio.engine.table_file import ResultTable

_MODULE = "Cross Validate Model"
_LIKELIHOOD = "Negative Log Likelihood"


@dataclass(frozen=True)
class CrossValidated:
    """
    What came of it.

    `folds` is `n_rows` long and holds the number, from 0, of each row's fold; `answers` is `n_rows × n_answers`;
    `evaluations` has one entry per fold.
    """

    learner_name: str
    folds: NDArray[np.int64]
    answers: NDArray[np.float64]
    evaluations: Sequence[Evaluation]

    def table(self) -> ResultTable:
        """Return a row per fold, then mean and standard deviation, in Studio's columns. Source: docs/protocol.md."""
        names = list(self.evaluations[0].metrics)
        figures = np.array([list(evaluation.metrics.values()) for evaluation in self.evaluations])
        sizes = np.bincount(self.folds, minlength=len(self.evaluations))
        rows = [
            *((str(fold), int(size), row) for fold, (size, row) in enumerate(zip(sizes, figures, strict=True))),
            ("Mean", len(self.folds), _without_warning(figures.mean, axis=0)),
            ("Standard Deviation", len(self.folds), _without_warning(figures.std, axis=0, ddof=1)),
        ]
        columns = (
            ("Fold Number", ColumnType.CATEGORICAL),
            ("Number of examples in fold", ColumnType.INTEGER),
            ("Model", ColumnType.CATEGORICAL),
            *((name, ColumnType.NUMERIC) for name in names),
        )
        cells = ([fold, str(size), self.learner_name, *map(number_text, row)] for fold, size, row in rows)
        return ResultTable.of(columns, cells)


def cross_validate(trainer: Trainer, rows: Rows, options: CrossValidation) -> CrossValidated:
    """
    Train a model per fold on the rows of all others, and ask it about its own.

    Raises:
        ModuleError: There are too few rows for so many folds, or the learner fails.
    """
    folds = fold_numbers(rows.labels, len(trainer.classes), options)
    answers: NDArray[np.float64] = np.empty((0, 0))
    evaluations = []
    for fold in range(options.folds):
        own = folds == fold
        check_training_rows(rows.labels, len(trainer.classes), ~own, _MODULE)
        training, others = rows.chosen(~own), rows.features.chosen(own)
        fills = trainer.fills(training)
        found = trainer.answers(trainer.fit(training.filled(fills)), others.filled(fills))
        if not fold:
            answers = np.empty((len(rows), found.shape[1]))
        answers[own] = found
        evaluations.append(Evaluation(_shown(trainer, evaluate(trainer.learner, rows.labels[own], found).metrics)))
    return CrossValidated(trainer.learner.name, folds, answers, evaluations)


def fold_numbers(labels: NDArray[Any], n_classes: int, options: CrossValidation) -> NDArray[np.int64]:
    """Deal rows to folds whose sizes differ by one at most, per label when stratified; equal for equal arguments."""
    random = np.random.default_rng(options.seed)
    dealt = [random.permutation(group) for group in row_groups(labels, n_classes if options.stratified else 0)]
    folds = np.empty(len(labels), np.int64)
    folds[np.concatenate(dealt)] = np.arange(len(labels)) % options.folds
    return folds


def _shown(trainer: Trainer, metrics: Mapping[str, float]) -> Mapping[str, float]:
    """Leave the likelihood out where the learner has none, as Studio does."""
    if trainer.learner.kind.answers is not Answers.VALUE:
        return metrics
    return {name: value for name, value in metrics.items() if name != _LIKELIHOOD}


def _without_warning(figure: Any, **arguments: Any) -> Any:
    with np.errstate(invalid="ignore"):  # a fold without a figure has NaN, and so have mean and deviation
        return figure(**arguments)
