"""What two-class scores of labelled rows show: curves, calibration, confusion, thresholds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.measuring.measures import Answers, Truth
from shared.domain.measuring.paired import PairedScores
from shared.domain.model import Costs

THRESHOLD = 0.5  # where Studio's scored label changes
_MOST_POINTS = 200  # of a curve: more cannot be seen
_BINS = 10
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

Json = dict[str, Any]


def two_class_facts(rows: PairedScores, costs: Costs | None = None) -> Json:
    """
    Describe both models on the same rows.

    Args:
        rows: n labelled rows with at least one of each class; every score finite.
        costs: Of right and wrong answers; None where nobody declared them.
    """
    return {
        "n_rows": len(rows.labels),
        "n_positive": int(rows.labels.sum()),
        "threshold": THRESHOLD,
        "costs": asdict(costs) if costs else None,
        "champion": _model(rows.labels, rows.champion, costs),
        "challenger": _model(rows.labels, rows.challenger, costs),
    }


def _model(labels: Truth, scores: Answers, costs: Costs | None) -> Json:
    hits, alarms = _cumulated(labels, scores)
    recall, fall_out = hits / hits[-1], alarms / alarms[-1]
    precision = hits[1:] / (hits[1:] + alarms[1:])
    bins = _calibration(labels, scores)
    return {
        "auc": float(np.trapezoid(recall, fall_out)),
        "brier": float(np.mean((scores - labels) ** 2)),
        "calibration_error": sum(abs(b["mean_score"] - b["share_positive"]) * b["n"] for b in bins) / len(labels),
        "roc": _points(fall_out, recall),
        "precision_recall": _points(recall[1:], precision),
        "lift": _points((hits + alarms) / len(labels), recall),
        "calibration": bins,
        "confusion": _confusion(labels, scores, THRESHOLD),
        "thresholds": [_at(labels, scores, threshold, costs) for threshold in _THRESHOLDS],
    }


def _cumulated(labels: Truth, scores: Answers) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count positives and negatives at or above each distinct score, from the highest down; starts with none."""
    distinct, ranks = np.unique(-scores, return_inverse=True)
    positives = np.bincount(ranks, weights=labels, minlength=len(distinct))
    negatives = np.bincount(ranks, weights=~labels, minlength=len(distinct))
    return np.concatenate(([0.0], np.cumsum(positives))), np.concatenate(([0.0], np.cumsum(negatives)))


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    """Return a curve's points; of more than `_MOST_POINTS` so many, spread along its length, first and last kept."""
    if len(x) <= _MOST_POINTS:
        return _rounded(x, y)
    length = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))))
    wanted = np.linspace(0, length[-1], _MOST_POINTS)
    kept = np.unique(np.clip(np.searchsorted(length, wanted), 0, len(x) - 1))
    return _rounded(x[kept], y[kept])


def _rounded(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[list[float]]:
    return [[round(float(a), 5), round(float(b), 5)] for a, b in zip(x, y, strict=True)]


def _calibration(labels: Truth, scores: Answers) -> list[Json]:
    """Bin rows by score into ten equal widths; empty bins are left out."""
    bins = np.clip((scores * _BINS).astype(int), 0, _BINS - 1)
    return [
        {
            "from": chosen / _BINS,
            "to": (chosen + 1) / _BINS,
            "n": int(members.sum()),
            "mean_score": float(scores[members].mean()),
            "share_positive": float(labels[members].mean()),
        }
        for chosen in range(_BINS)
        if (members := bins == chosen).any()
    ]


def _confusion(labels: Truth, scores: Answers, threshold: float) -> Json:
    flagged = scores >= threshold
    return {
        "true_positive": int((flagged & labels).sum()),
        "false_positive": int((flagged & ~labels).sum()),
        "false_negative": int((~flagged & labels).sum()),
        "true_negative": int((~flagged & ~labels).sum()),
    }


def _at(labels: Truth, scores: Answers, threshold: float, costs: Costs | None) -> Json:
    counts = _confusion(labels, scores, threshold)
    flagged = counts["true_positive"] + counts["false_positive"]
    return {
        "threshold": threshold,
        "precision": counts["true_positive"] / flagged if flagged else None,
        "recall": counts["true_positive"] / int(labels.sum()),
        "flagged": flagged / len(labels),
        "cost": _cost(counts, costs) / len(labels) if costs else None,
    }


def _cost(counts: Json, costs: Costs) -> float:
    return float(sum(count * getattr(costs, outcome) for outcome, count in counts.items()))
