"""
Metrics as functions of row weights, so that a resample costs no more than its counts.

A measure prepares one model's answers once; what it returns maps weights (how often each row was drawn) to the metric's
value, NaN where it has none. Sums are einsum's: a matrix library's threads cost more than they save at these sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.task import Task

Truth = NDArray[Any]  # booleans (two-class), class positions (multiclass) or numbers (regression)
Answers = NDArray[np.float64]  # n, or n × k class probabilities
Weights = NDArray[np.float64]
Value = Callable[[Weights], float]
Measure = Callable[[Truth, Answers], Value]

_THRESHOLD = 0.5
_LEAST_PROBABILITY = 1e-15


def auc(truth: Truth, scores: Answers) -> Value:
    """
    Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.

    Rows are sorted once; each resample then costs one running sum over the negatives.
    """
    negative, positive = _ascending(scores, ~truth), _ascending(scores, truth)
    below = np.searchsorted(scores[negative], scores[positive], "left")
    up_to = np.searchsorted(scores[negative], scores[positive], "right")
    tied = not np.array_equal(below, up_to)
    drawn = np.zeros(len(negative) + 1)  # how many negatives were drawn among the lowest so many

    def value(weights: Weights) -> float:
        np.cumsum(weights[negative], out=drawn[1:])
        own = weights[positive]
        wins = _sum(own, drawn[below])
        if tied:
            wins = (wins + _sum(own, drawn[up_to])) / 2
        return _ratio(wins, own.sum() * drawn[-1])

    return value


def accuracy(truth: Truth, scores: Answers) -> Value:
    """Share of rows on the right side of 0.5."""
    return _mean((scores >= _THRESHOLD) == truth)


def precision(truth: Truth, scores: Answers) -> Value:
    """Share of the positive calls that were right; no value where there was no positive call."""
    called = (scores >= _THRESHOLD).astype(np.float64)
    hits = called * truth
    return lambda weights: _ratio(_sum(weights, hits), _sum(weights, called))


def recall(truth: Truth, scores: Answers) -> Value:
    """Share of the positive rows that were called positive."""
    positive = truth.astype(np.float64)
    hits = positive * (scores >= _THRESHOLD)
    return lambda weights: _ratio(_sum(weights, hits), _sum(weights, positive))


def f_score(truth: Truth, scores: Answers) -> Value:
    """Harmonic mean of precision and recall."""
    positive, called = truth.astype(np.float64), (scores >= _THRESHOLD).astype(np.float64)
    hits, either = positive * called, positive + called
    return lambda weights: _ratio(2 * _sum(weights, hits), _sum(weights, either))


def log_loss(truth: Truth, scores: Answers) -> Value:
    """Mean of −ln p, p being the probability given to what was true."""
    return _mean(-np.log(np.clip(np.where(truth, scores, 1 - scores), _LEAST_PROBABILITY, 1)))


def log_loss_reduction(truth: Truth, scores: Answers) -> Value:
    """100 · (1 − log loss ÷ entropy of the base rate): how much better than always saying the base rate."""
    loss, rate = log_loss(truth, scores), _mean(truth)

    def value(weights: Weights) -> float:
        p = rate(weights)
        entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p)) if 0 < p < 1 else 0.0
        return 100 * (1 - _ratio(loss(weights), entropy))

    return value


def overall_accuracy(truth: Truth, scores: Answers) -> Value:
    """Share of rows whose likeliest class is the true one; micro-averaged precision and recall are the same number."""
    return _mean(scores.argmax(axis=1) == truth)


def average_accuracy(truth: Truth, scores: Answers) -> Value:
    """Mean over the classes of one-against-the-rest accuracy."""
    hit, classes = overall_accuracy(truth, scores), scores.shape[1]
    return lambda weights: 1 - 2 * (1 - hit(weights)) / classes


def macro_precision(truth: Truth, scores: Answers) -> Value:
    """Mean over the classes of precision; a class that was never called counts as 0."""
    return _macro(truth, scores, axis=0)


def macro_recall(truth: Truth, scores: Answers) -> Value:
    """Mean over the classes of recall; a class without rows counts as 0."""
    return _macro(truth, scores, axis=1)


def absolute_error(truth: Truth, scores: Answers) -> Value:
    """Mean absolute error."""
    return _mean(np.abs(scores - truth))


def root_squared_error(truth: Truth, scores: Answers) -> Value:
    """Root of the mean squared error."""
    squared = _mean((scores - truth) ** 2)
    return lambda weights: float(np.sqrt(squared(weights)))


def relative_absolute_error(truth: Truth, scores: Answers) -> Value:
    """Sum of absolute errors ÷ that of always saying the mean."""
    errors, mean = np.abs(scores - truth), _mean(truth)
    return lambda weights: _ratio(_sum(weights, errors), _sum(weights, np.abs(truth - mean(weights))))


def relative_squared_error(truth: Truth, scores: Answers) -> Value:
    """Sum of squared errors ÷ that of always saying the mean."""
    errors, mean = (scores - truth) ** 2, _mean(truth)
    return lambda weights: _ratio(_sum(weights, errors), _sum(weights, (truth - mean(weights)) ** 2))


def determination(truth: Truth, scores: Answers) -> Value:
    """R²: one minus the relative squared error."""
    relative = relative_squared_error(truth, scores)
    return lambda weights: 1 - relative(weights)


MEASURES: dict[Task, dict[str, Measure]] = {
    Task.TWO_CLASS: {
        "AUC": auc,
        "Accuracy": accuracy,
        "Precision": precision,
        "Recall": recall,
        "F-Score": f_score,
        "Average Log Loss": log_loss,
        "Training Log Loss": log_loss_reduction,
    },
    Task.MULTICLASS: {
        "Overall accuracy": overall_accuracy,
        "Average accuracy": average_accuracy,
        "Micro-averaged precision": overall_accuracy,
        "Macro-averaged precision": macro_precision,
        "Micro-averaged recall": overall_accuracy,
        "Macro-averaged recall": macro_recall,
    },
    Task.REGRESSION: {
        "Mean Absolute Error": absolute_error,
        "Root Mean Squared Error": root_squared_error,
        "Relative Absolute Error": relative_absolute_error,
        "Relative Squared Error": relative_squared_error,
        "Coefficient of Determination": determination,
    },
}


def _macro(truth: Truth, scores: Answers, axis: int) -> Value:
    classes = scores.shape[1]
    cells = truth * classes + scores.argmax(axis=1)

    def value(weights: Weights) -> float:
        confusion = np.bincount(cells, weights, minlength=classes * classes).reshape(classes, classes)
        totals = confusion.sum(axis=axis)
        return float((np.diag(confusion) / np.where(totals > 0, totals, 1)).mean())

    return value


def _ascending(scores: Answers, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    positions = np.flatnonzero(chosen)
    return positions[np.argsort(scores[positions], kind="stable")]


def _mean(of_rows: NDArray[Any]) -> Value:
    numbers = of_rows.astype(np.float64)
    return lambda weights: _ratio(_sum(weights, numbers), weights.sum())


def _sum(weights: Weights, of_rows: NDArray[np.float64]) -> float:
    return float(np.einsum("i,i->", weights, of_rows))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
