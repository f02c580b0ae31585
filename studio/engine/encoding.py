"""
Features as the inputs of a network: scaled numbers, and one input per level. The training side of `network`.

scipy is imported here and in the learners that need it, never by scoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from studio.engine.link import Link
from studio.engine.network import Network, NetworkShape

Layer = tuple[NDArray[np.float64], NDArray[np.float64]]  # weights `n_in × n_out`, biases `n_out`


class Normalizer(Enum):
    """How a number column is scaled; the value is Studio's name."""

    MIN_MAX = "Min-Max normalizer"
    GAUSSIAN = "Gaussian normalizer"
    NONE = "Do not normalize"


@dataclass(frozen=True)
class Encoding:
    """
    What `NetworkShape` says of inputs, fitted to training rows.

    `scaling` is `n_number_columns × 3`: what fills a gap (the mean), what is subtracted, what divides.
    """

    inputs: tuple[int | None, ...]
    scaling: NDArray[np.float64]
    unit_length: bool = False

    @classmethod
    def fitted(
        cls,
        features: NDArray[np.float64],
        inputs: tuple[int | None, ...],
        normalizer: Normalizer,
        *,
        unit_length: bool = False,
        centred: bool = True,
    ) -> Encoding:
        """Fit to features, `n_rows × n_features`; without `centred`, zero stays zero."""
        numbers = [at for at, n_levels in enumerate(inputs) if n_levels is None]
        scaling = [_scaling(features[:, at], normalizer, centred=centred) for at in numbers]
        return cls(inputs, np.array(scaling, np.float64).reshape(-1, 3), unit_length)

    def matrix(self, features: NDArray[np.float64]) -> Any:
        """Return the inputs of rows as a sparse matrix, `n_rows × n_inputs`, in compressed rows."""
        scaling = iter(self.scaling)
        parts = [
            _scaled(features[:, at], next(scaling)) if n_levels is None else _indicators(features[:, at], n_levels)
            for at, n_levels in enumerate(self.inputs)
        ]
        joined = sparse.hstack(parts, format="csr")
        if not self.unit_length:
            return joined
        lengths = np.sqrt(joined.multiply(joined).sum(axis=1))
        return (sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ joined).tocsr()

    def network(self, layers: Sequence[Layer], link: Link) -> Network:
        """
        Pack fitted layers.

        Raises:
            ValueError: A weight is not finite: the learner diverged.
        """
        sizes = tuple(len(bias) for _, bias in layers)
        shape = NetworkShape(self.inputs, sizes, link, self.unit_length)
        numbers = np.concatenate([self.scaling.ravel(), *(part.ravel() for layer in layers for part in layer)])
        if not np.isfinite(numbers).all():
            raise ValueError("it diverged; choose a smaller learning rate, or more regularization")
        return Network(shape, numbers.astype("<f8").tobytes())


def two_answers(layer: Layer) -> Layer:
    """Turn the one logistic sum of two classes into two sums for the softmax, which give the same probabilities."""
    weights, bias = layer
    return np.hstack([np.zeros_like(weights), weights]), np.concatenate([np.zeros_like(bias), bias])


def scaled_labels(labels: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return labels with mean 0 and deviation 1, so that gradient descent does not run away; and mean and deviation."""
    mean, deviation = float(labels.mean()), float(labels.std()) or 1.0
    return (labels - mean) / deviation, (mean, deviation)


def unscaled(layer: Layer, scale: tuple[float, float]) -> Layer:
    """Undo `scaled_labels` in the layer that gives the answers."""
    weights, bias = layer
    mean, deviation = scale
    return weights * deviation, bias * deviation + mean


def _scaling(values: NDArray[np.float64], normalizer: Normalizer, *, centred: bool) -> tuple[float, float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return 0.0, 0.0, 1.0
    mean, low = float(known.mean()), float(known.min())
    centre, divisor = {
        Normalizer.MIN_MAX: (low, float(known.max()) - low),
        Normalizer.GAUSSIAN: (mean, float(known.std())),
        Normalizer.NONE: (0.0, 1.0),
    }[normalizer]
    return mean, centre if centred else 0.0, divisor if divisor > 0 and np.isfinite(divisor) else 1.0


def _scaled(values: NDArray[np.float64], scaling: NDArray[np.float64]) -> Any:
    fill, centre, divisor = scaling
    return sparse.csr_array(((np.where(np.isnan(values), fill, values) - centre) / divisor)[:, np.newaxis])


def _indicators(codes: NDArray[np.float64], n_levels: int) -> Any:
    known = ~np.isnan(codes)
    starts = np.concatenate([[0], np.cumsum(known)]).astype(np.int32)
    columns = codes[known].astype(np.int32)
    return sparse.csr_array((np.ones(len(columns)), columns, starts), shape=(len(codes), n_levels))
