"""
Two models on the same rows, and the paired bootstrap interval of the difference in a metric.

Rows are resampled together, so what both models find easy or hard cancels out. Where rows come in groups (one
customer's, one day's), whole groups are drawn, since rows of one group tell less than as many rows of different ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from shared.domain.measuring.measures import MEASURES, Answers, Truth, Value, Weights
from shared.domain.task import Task

_FEW = 10  # fewer resamples than these beyond a quantile, and it is read off a normal curve instead


@dataclass(frozen=True)
class PairedScores:
    """
    Two models' answers to the same labelled rows, aligned by position.

    Attributes:
        labels: n booleans (two-class), positions of classes (multiclass) or numbers (regression).
        champion: n probabilities of the positive class, n × k class probabilities, or n predictions.
        challenger: The same of the challenger.
        groups: n positions of groups, that are resampled whole; None where each row stands for itself.
        slices: Name → n booleans: the rows of a part that is looked at on its own.
        anchor: The answers of the model that a person last approved; None where it is the champion, or not known.
        anchor_name: What that model is called: where nobody approved one, it is the published model.
    """

    labels: Truth
    champion: Answers
    challenger: Answers
    task: Task = Task.TWO_CLASS
    groups: NDArray[np.int64] | None = None
    slices: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    anchor: Answers | None = None
    anchor_name: str = "last approved model"


@dataclass(frozen=True)
class Contrast:
    """Two models compared by one metric on some of the rows; the differences are challenger − other, one a resample."""

    metric: str
    other: float
    challenger: float
    differences: NDArray[np.float64]
    n_rows: int

    @property
    def difference(self) -> float:
        """Challenger minus the other, in the metric's own units."""
        return self.challenger - self.other

    def bounds(self, confidence: float) -> tuple[float, float]:
        """
        Return the one-sided lower and upper bound of the difference.

        A resample without a value (one class only) counts against whoever relies on the bound.
        """
        count, rest = len(self.differences), 1 - confidence
        missing = np.isnan(self.differences)
        if rest * count < _FEW and not missing.any():
            reach = NormalDist().inv_cdf(confidence) * float(self.differences.std(ddof=1))
            return self.difference - reach, self.difference + reach
        low = np.sort(np.where(missing, -np.inf, self.differences))
        high = np.sort(np.where(missing, np.inf, self.differences))
        return _quantile(low, rest), _quantile(high, confidence)


@dataclass(frozen=True)
class Question:
    """One comparison to be made: by which metric, with whom, on which rows (None: all)."""

    metric: str
    other: Answers
    rows: NDArray[np.bool_] | None = None


def compare(questions: Sequence[Question], scores: PairedScores, *, replicates: int, seed: int) -> list[Contrast]:
    """
    Answer several questions on the same resamples.

    Args:
        questions: Metrics of `MEASURES` for the task.
        replicates: Number of resamples, B.
        seed: Of the resampling; equal arguments give equal answers.
    """
    prepared = [_prepare(question, scores) for question in questions]
    differences = np.empty((len(prepared), replicates))
    for at, weights in enumerate(resamples(len(scores.labels), scores.groups, replicates, seed)):
        for number, (rows, other, challenger) in enumerate(prepared):
            drawn = weights if rows is None else weights[rows]
            differences[number, at] = challenger(drawn) - other(drawn)
    contrasts = []
    for number, (question, (rows, other, challenger)) in enumerate(zip(questions, prepared, strict=True)):
        once = np.ones(len(scores.labels) if rows is None else len(rows))
        contrasts.append(Contrast(question.metric, other(once), challenger(once), differences[number], len(once)))
    return contrasts


def resamples(n_rows: int, groups: NDArray[np.int64] | None, replicates: int, seed: int) -> Iterator[Weights]:
    """Yield how often each row was drawn, once for each resample."""
    generator = np.random.default_rng(seed)
    units = n_rows if groups is None else int(groups.max()) + 1
    for _ in range(replicates):
        drawn = np.bincount(generator.integers(0, units, size=units, dtype=np.int32), minlength=units)
        weights = drawn.astype(np.float64)
        yield weights if groups is None else weights[groups]


def _prepare(question: Question, scores: PairedScores) -> tuple[NDArray[np.intp] | None, Value, Value]:
    measure = MEASURES[scores.task][question.metric]
    if question.rows is None:
        return None, measure(scores.labels, question.other), measure(scores.labels, scores.challenger)
    rows = np.flatnonzero(question.rows)
    labels = scores.labels[rows]
    return rows, measure(labels, question.other[rows]), measure(labels, scores.challenger[rows])


def _quantile(ascending: NDArray[np.float64], share: float) -> float:
    """Return a quantile, interpolated as usual, also among infinities."""
    place = share * (len(ascending) - 1)
    below = int(place)
    low, high = float(ascending[below]), float(ascending[min(below + 1, len(ascending) - 1)])
    part = place - below
    return low if part == 0 or low in (high, -np.inf) else low + part * (high - low)
