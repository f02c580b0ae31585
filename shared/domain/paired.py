"""
Metrics of two models on the same rows, and the paired bootstrap interval of their difference.

Rows are resampled together, so what both models find easy or hard cancels out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class PairedScores:
    """
    Two models' scores of the same labelled rows, aligned by position.

    Attributes:
        labels: n rows, True for the positive class.
        champion: n probabilities of the positive class.
        challenger: n probabilities of the positive class.
    """

    labels: Labels
    champion: Scores
    challenger: Scores


@dataclass(frozen=True)
class Comparison:
    """Both values of a metric, and the interval that holds their difference (challenger − champion)."""

    champion: float
    challenger: float
    lower: float
    upper: float
    n_rows: int

    @property
    def difference(self) -> float:
        """Challenger minus champion, in the metric's own units."""
        return self.challenger - self.champion


# A measure prepares one model's scores once; what it returns maps resampled row positions to the metric's value.
Measure = Callable[[Labels, Scores], Callable[[Rows], float]]


def accuracy(labels: Labels, scores: Scores) -> Callable[[Rows], float]:
    """Share of rows on the right side of 0.5."""
    hits = (scores >= 0.5) == labels
    return lambda rows: float(hits[rows].mean())


def auc(labels: Labels, scores: Scores) -> Callable[[Rows], float]:
    """
    Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half.

    Scores are ranked once; each resample then only counts rows by (rank, label), so B resamples cost O(B·n).
    """
    distinct, ranks = np.unique(scores, return_inverse=True)
    cells = ranks + len(distinct) * labels

    def value(rows: Rows) -> float:
        counts = np.bincount(cells[rows], minlength=2 * len(distinct)).astype(np.float64)
        negatives, positives = counts[: len(distinct)], counts[len(distinct) :]
        below = np.cumsum(negatives) - 0.5 * negatives
        pairs = positives.sum() * negatives.sum()
        return float(positives @ below / pairs) if pairs else float("nan")

    return value


MEASURES: dict[str, Measure] = {"AUC": auc, "Accuracy": accuracy}


def compare(metric: str, rows: PairedScores, *, confidence: float, replicates: int, seed: int) -> Comparison:
    """
    Measure both models and bound their difference by the paired bootstrap.

    Args:
        metric: A key of `MEASURES`.
        rows: At least one positive and one negative row for AUC.
        confidence: Of each one-sided bound: 0.95 gives the 5 % and 95 % quantiles.
        replicates: Number of resamples, B.
        seed: Of the resampling; equal arguments give equal bounds.
    """
    n_rows = len(rows.labels)
    champion = MEASURES[metric](rows.labels, rows.champion)
    challenger = MEASURES[metric](rows.labels, rows.challenger)
    generator = np.random.default_rng(seed)
    resamples = (generator.integers(0, n_rows, size=n_rows) for _ in range(replicates))
    differences = [challenger(drawn) - champion(drawn) for drawn in resamples]
    lower, upper = np.nanquantile(differences, [1 - confidence, confidence])
    everything = np.arange(n_rows)
    return Comparison(champion(everything), challenger(everything), float(lower), float(upper), n_rows)
