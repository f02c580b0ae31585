"""Evaluate Model for values."""

from __future__ import annotations

from math import inf, log, nan, pi

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation.table import Evaluation


def evaluate_regression(
    labels: NDArray[np.float64], predicted: NDArray[np.float64], negative_log_likelihood: float = inf
) -> Evaluation:
    """
    Compare labels with predicted values, both `n_rows` long.

    The relative errors are held against always answering the mean of these labels. Only learners that answer with a
    spread have a likelihood; others show `Infinity`. Source: docs/protocol.md.
    """
    errors = np.abs(labels - predicted)
    distances = np.abs(labels - labels.mean()) if len(labels) else labels
    absolute, squared = _total(errors), _total(errors**2)
    relative_squared = _ratio(squared, _total(distances**2))
    return Evaluation(
        {
            "Negative Log Likelihood": negative_log_likelihood,
            "Mean Absolute Error": _ratio(absolute, len(labels)),
            "Root Mean Squared Error": _ratio(squared, len(labels)) ** 0.5,
            "Relative Absolute Error": _ratio(absolute, _total(distances)),
            "Relative Squared Error": relative_squared,
            "Coefficient of Determination": 1 - relative_squared,
        }
    )


def evaluate_moments(labels: NDArray[np.float64], answers: NDArray[np.float64]) -> Evaluation:
    """Compare labels with mean, mean of squares and their origin, `n_rows × 3`, as those of a normal distribution."""
    mean, squares, origin = answers.T
    variance = np.maximum(squares - (mean - origin) ** 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = (np.log(variance) + (labels - mean) ** 2 / variance) / 2
    likelihood = float(surprise.sum()) + len(labels) * log(2 * pi) / 2
    return evaluate_regression(labels, mean, inf if np.isnan(likelihood) else likelihood)


def _total(values: NDArray[np.float64]) -> float:
    return float(values.sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else nan
