"""
Evaluate Model: what a model is worth on rows that it has not seen, in the classic service's columns.

One module per task; `evaluate` chooses by what the model answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation.multiclass import evaluate_multiclass
from studio.engine.evaluation.quantiles import evaluate_quantiles
from studio.engine.evaluation.regression import evaluate_moments, evaluate_regression
from studio.engine.evaluation.table import Evaluation, metrics_table
from studio.engine.evaluation.two_class import evaluate_two_class
from studio.engine.learners import Learner, quantiles_of
from studio.engine.scored_columns import Answers

__all__ = ["Evaluation", "evaluate", "metrics_table"]


def evaluate(learner: Learner, labels: NDArray[Any], answers: NDArray[np.float64]) -> Evaluation:
    """
    Compare labels with a model's answers.

    Args:
        learner: What trained the model.
        labels: `n_rows`; positions in the classes, or values.
        answers: `n_rows × n_answers`.
    """
    match learner.kind.answers:
        case Answers.PROBABILITY:
            return evaluate_two_class(labels == 1, answers[:, 0])
        case Answers.PROBABILITIES | Answers.SHARES:
            return evaluate_multiclass(labels, answers)
        case Answers.VALUE:
            return evaluate_regression(labels, answers[:, 0])
        case Answers.MOMENTS:
            return evaluate_moments(labels, answers)
        case Answers.QUANTILES:
            return evaluate_quantiles(labels, answers, quantiles_of(learner.parameters))
