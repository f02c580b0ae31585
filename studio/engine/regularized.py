"""
Generalized linear models with L1 and L2 penalties, fitted by scipy's L-BFGS-B. The training side.

The method that Studio's logistic and Poisson regression name. An L1 penalty has a kink at zero, where a quasi-Newton
method goes astray; so a weight is split into a part above and a part below zero, both bounded, and their sum is smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.special import expit, logsumexp, softmax  # type: ignore[import-untyped]

from studio.engine.encoding import Encoding, Layer, Normalizer
from studio.engine.learners.kind import TrainingRows
from studio.engine.link import Link
from studio.engine.network import Network

_MAX_ITERATIONS, _MAX_EVALUATIONS = 10_000, 1_000_000
_LARGEST_EXPONENT = 500.0  # keeps a step that goes too far finite, so that the line search can come back

Vector = NDArray[np.float64]
Loss = Callable[[Vector, NDArray[Any]], tuple[float, Vector]]


@dataclass(frozen=True)
class Penalty:
    """
    How strongly weights are pulled to zero, and when to stop.

    What is minimized: the sum over rows of the loss, plus `l1` times the absolute weights, plus `l2` / 2 times their
    squares; biases go free. It ends when a step lowers it by less than `tolerance`, relative to its value.
    """

    l1: float
    l2: float
    tolerance: float
    memory: int


def fit_model(rows: TrainingRows, loss: Loss, link: Link, bias: Vector, penalty: Penalty) -> Network:
    """
    Fit a model on scaled inputs; `loss` and `bias` as for `fit_linear`.

    Raises:
        ValueError: It did not converge to finite weights.
    """
    encoding = Encoding.fitted(rows.features.matrix, rows.n_levels, Normalizer.GAUSSIAN)
    return encoding.network([fit_linear(encoding.matrix(rows.features.matrix), rows.labels, loss, bias, penalty)], link)


def fit_linear(inputs: Any, labels: NDArray[Any], loss: Loss, bias: Vector, penalty: Penalty) -> Layer:
    """
    Fit weights and biases.

    Args:
        inputs: Sparse, `n_rows × n_inputs`.
        loss: Gives, for sums `n_rows × n_sums` and labels, the total and its slope in each sum.
        bias: Where the biases begin, `n_sums` long: one, or one per class.

    Returns:
        Weights `n_inputs × n_sums`, and biases.
    """
    n_inputs, n_sums = inputs.shape[1], len(bias)
    n_weights = n_inputs * n_sums
    transposed = inputs.T.tocsr()

    def objective(point: Vector) -> tuple[float, Vector]:
        weights, biases = _weights(point, n_weights), point[2 * n_weights :]
        total, slope = loss(inputs @ weights.reshape(n_inputs, n_sums) + biases, labels)
        pull = (transposed @ slope).ravel() + penalty.l2 * weights
        total += penalty.l2 / 2 * float(weights @ weights) + penalty.l1 * float(point[: 2 * n_weights].sum())
        return total, np.concatenate([pull + penalty.l1, penalty.l1 - pull, slope.sum(axis=0)])

    start = np.concatenate([np.zeros(2 * n_weights), bias])
    bounds = [(0, None)] * (2 * n_weights) + [(None, None)] * n_sums
    limits = {"maxiter": _MAX_ITERATIONS, "maxfun": _MAX_EVALUATIONS}
    options = {"maxcor": penalty.memory, "ftol": penalty.tolerance, "gtol": 0, **limits}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return _weights(found.x, n_weights).reshape(n_inputs, n_sums), found.x[2 * n_weights :]


def logistic_loss(sums: Vector, labels: NDArray[Any]) -> tuple[float, Vector]:
    """Negative log-likelihood of labels 0 and 1."""
    only = sums[:, 0]
    return float((np.logaddexp(0, only) - labels * only).sum()), (expit(only) - labels)[:, np.newaxis]


def softmax_loss(sums: Vector, labels: NDArray[Any]) -> tuple[float, Vector]:
    """Negative log-likelihood of class numbers."""
    each = np.arange(len(labels))
    slope = softmax(sums, axis=1)
    slope[each, labels] -= 1
    return float((logsumexp(sums, axis=1) - sums[each, labels]).sum()), slope


def poisson_loss(sums: Vector, labels: NDArray[Any]) -> tuple[float, Vector]:
    """Negative log-likelihood of counts, without what the weights cannot change."""
    only = np.minimum(sums[:, 0], _LARGEST_EXPONENT)
    expected = np.exp(only)
    return float((expected - labels * only).sum()), (expected - labels)[:, np.newaxis]


def _weights(point: Vector, n_weights: int) -> Vector:
    return point[:n_weights] - point[n_weights : 2 * n_weights]
