"""Evaluate Model for quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.engine.evaluation.table import Evaluation
from studio.engine.scored_columns import quantile_text


def evaluate_quantiles(
    labels: NDArray[np.float64], answers: NDArray[np.float64], quantiles: Sequence[float]
) -> Evaluation:
    """
    Compare labels with the quantiles given for them, `n_rows × n_quantiles`.

    The loss of a quantile q is q times the distance where the label is above it, 1 - q times where it is below, as a
    mean over the rows. Source of the columns: a published comparison of regression learners in Studio.
    """
    distances = labels[:, np.newaxis] - np.sort(answers, axis=1)
    losses = np.maximum(np.array(quantiles) * distances, (np.array(quantiles) - 1) * distances)
    means = losses.mean(axis=0) if len(labels) else np.full(len(quantiles), np.nan)
    each = {f"Quantile Loss:{quantile_text(q)}": float(mean) for q, mean in zip(quantiles, means, strict=True)}
    return Evaluation({"Average Quantile Loss": float(means.mean()), **each})
