"""Evaluate Model for two classes."""

from __future__ import annotations

from math import log, nan

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation.table import Evaluation
from studio.engine.scored_columns import THRESHOLD


def evaluate_two_class(labels: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> Evaluation:
    """
    Compare labels with the probabilities of the positive label, both `n_rows` long.

    Training Log Loss is a percentage: how much of the entropy of the labels the model explains, below zero for one that
    does worse than always answering the base rate. Without rows Precision is 1, AUC NaN and all else 0. Source:
    docs/protocol.md.
    """
    predicted = probabilities >= THRESHOLD
    n_hits = int((predicted & labels).sum())
    precision = _ratio(n_hits, int(predicted.sum()), otherwise=1)
    recall = _ratio(n_hits, int(labels.sum()), otherwise=0)
    log_loss = _average_log_loss(labels, probabilities)
    return Evaluation(
        {
            "Accuracy": _ratio(int((predicted == labels).sum()), len(labels), otherwise=0),
            "Precision": precision,
            "Recall": recall,
            "F-Score": _ratio(2 * precision * recall, precision + recall, otherwise=0),
            "AUC": _area_under_curve(labels, probabilities),
            "Average Log Loss": log_loss,
            "Training Log Loss": _explained(log_loss, labels),
        }
    )


def _ratio(part: float, whole: float, *, otherwise: float) -> float:
    return part / whole if whole else otherwise


def _area_under_curve(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the chance that a positive row outranks a negative one; a tie counts half (Mann-Whitney)."""
    n_positive = int(labels.sum())
    n_pairs = n_positive * (len(labels) - n_positive)
    if not n_pairs:
        return nan
    _, group, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(sizes) - (sizes - 1) / 2
    return float((mean_rank[group[labels]].sum() - n_positive * (n_positive + 1) / 2) / n_pairs)


def _average_log_loss(labels: NDArray[np.bool_], probabilities: NDArray[np.float64]) -> float:
    """Return the mean of -ln(probability given to the true label), in nats; infinite when one of them is 0."""
    if not len(labels):
        return 0
    with np.errstate(divide="ignore"):
        return float(-np.log(np.where(labels, probabilities, 1 - probabilities)).mean())


def _explained(log_loss: float, labels: NDArray[np.bool_]) -> float:
    if not len(labels):
        return 0
    base = float(labels.mean())
    if base in (0, 1):
        return nan  # labels of one kind have no entropy that could be explained
    entropy = -(base * log(base) + (1 - base) * log(1 - base))
    return 100 * (1 - log_loss / entropy)
