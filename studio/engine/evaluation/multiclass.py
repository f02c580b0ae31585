"""Evaluate Model for several classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation.table import Evaluation


def evaluate_multiclass(labels: NDArray[Any], answers: NDArray[np.float64]) -> Evaluation:
    """
    Compare labels with each class's share, `n_rows × n_classes`; of equally likely classes the first is predicted.

    Average accuracy is that of "this class or another", averaged over the classes. Micro-averages equal the overall
    accuracy, since each row has one label and one prediction. A class that is never predicted has precision 0, one
    that never occurs recall 0. Source: docs/protocol.md.
    """
    n_rows, n_classes = answers.shape
    confusion = np.bincount(labels * n_classes + answers.argmax(axis=1), minlength=n_classes * n_classes)
    confusion = confusion.reshape(n_classes, n_classes)
    hits = confusion.diagonal()
    overall = float(hits.sum() / n_rows) if n_rows else 0.0
    return Evaluation(
        {
            "Overall accuracy": overall,
            "Average accuracy": 1 - 2 * (1 - overall) / n_classes if n_rows else 0.0,
            "Micro-averaged precision": overall,
            "Macro-averaged precision": float((hits / np.maximum(confusion.sum(axis=0), 1)).mean()),
            "Micro-averaged recall": overall,
            "Macro-averaged recall": float((hits / np.maximum(confusion.sum(axis=1), 1)).mean()),
        }
    )
