"""
Linear models and neural networks as numbers, and their answers; a linear model is a network without hidden layers.

Answers need the standard library alone and are the same for one row as for many. The layout of the numbers is described
in docs/experiments.md.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, isnan, sqrt
from operator import add, mul

from studio.engine.link import Link, logistic

_FLOAT_BYTES = 8
_SCALING = 3  # numbers per number column: what fills a gap, what is subtracted, what divides the difference


class NetworkError(ValueError):
    """The numbers do not make the network that they are said to make."""


@dataclass(frozen=True)
class NetworkShape:
    """
    What a network takes and gives.

    `inputs` holds, per feature, the number of its levels, None for a number column. A number column is one input,
    scaled; a categorical one has an input for each level, 1 for the level of the row. With `unit_length`, the inputs of
    a row are divided by their Euclidean length. `layers` are the sizes of the hidden layers, whose sums go through the
    logistic function, and of the answers, whose sums go through `link`.
    """

    inputs: tuple[int | None, ...]
    layers: tuple[int, ...]
    link: Link
    unit_length: bool = False

    @property
    def n_outputs(self) -> int:
        """Answers to a row."""
        return self.layers[-1]

    @property
    def n_inputs(self) -> int:
        """How many inputs the features make."""
        return sum(1 if n_levels is None else n_levels for n_levels in self.inputs)

    @property
    def n_numbers(self) -> int:
        """How many numbers describe the network."""
        sizes = (self.n_inputs, *self.layers)
        return _SCALING * self.inputs.count(None) + sum((one + 1) * next_one for one, next_one in pairwise(sizes))


@dataclass(frozen=True)
class Network:
    """
    A network: its shape, and its numbers as little-endian 64-bit floats.

    First, per number column, what fills a gap, what is subtracted and what divides. Then, per layer, the weights, one
    row per input of the layer, and the biases.
    """

    shape: NetworkShape
    numbers: bytes

    @property
    def n_outputs(self) -> int:
        """Answers to a row."""
        return self.shape.n_outputs


class NetworkAnswers:
    """A network ready to answer; safe to use from several threads."""

    def __init__(self, network: Network) -> None:
        """
        Take the numbers apart.

        Raises:
            NetworkError: There are more or fewer than the shape needs, or one is not finite.
        """
        self._shape = network.shape
        numbers = _numbers(network)
        start = _SCALING * self._shape.inputs.count(None)
        self._features = _features(self._shape.inputs, numbers[:start])
        n_first, end = self._shape.layers[0], start + self._shape.n_inputs * self._shape.layers[0]
        self._rows = [numbers[at : at + n_first] for at in range(start, end, n_first)]
        self._bias = numbers[end : end + n_first]
        self._later = _later_layers(self._shape.layers, numbers, end + n_first)

    def predict(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Return the answers to rows of feature values, `n_rows × n_outputs` in one list; NaN is a gap."""
        answers: list[float] = []
        for row in rows:
            answers += self._answer(row)
        return answers

    def predict_columns(self, columns: Sequence[Sequence[float]]) -> list[float]:
        """Return the answers to rows given as their columns."""
        return self.predict(list(zip(*columns, strict=True)))

    def _answer(self, row: Sequence[float]) -> list[float]:
        sums = self._first_sums(row)
        for columns, bias in self._later:
            active = [logistic(value) for value in sums]
            sums = [sum(map(mul, active, column)) + one for column, one in zip(columns, bias, strict=True)]
        return self._shape.link.apply(sums)

    def _first_sums(self, row: Sequence[float]) -> list[float]:
        """Add up the rows of the first layer that this row's values call for."""
        sums, squares = [0.0] * len(self._bias), 0.0
        for value, (at, scaling) in zip(row, self._features, strict=True):
            if scaling:
                fill, centre, divisor = scaling
                scaled = ((fill if isnan(value) else value) - centre) / divisor
                squares += scaled * scaled
                sums = [total + scaled * weight for total, weight in zip(sums, self._rows[at], strict=True)]
            elif not isnan(value):
                squares += 1
                sums = list(map(add, sums, self._rows[at + int(value)]))
        if self._shape.unit_length and squares:
            length = sqrt(squares)
            sums = [total / length for total in sums]
        return list(map(add, sums, self._bias))


_Scaling = tuple[float, float, float] | None


def _features(inputs: Sequence[int | None], scaling: Sequence[float]) -> list[tuple[int, _Scaling]]:
    """Give, per feature, its first input, and its scaling where it is a number."""
    triples = zip(*[iter(scaling)] * _SCALING, strict=True)
    features: list[tuple[int, _Scaling]] = []
    at = 0
    for n_levels in inputs:
        features.append((at, next(triples) if n_levels is None else None))
        at += 1 if n_levels is None else n_levels
    return features


def _later_layers(
    sizes: Sequence[int], numbers: array[float], start: int
) -> list[tuple[list[array[float]], array[float]]]:
    """Give, per layer after the first, the weights of each of its sums, and the biases."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        end = start + n_in * n_out
        layers.append(([numbers[at:end:n_out] for at in range(start, start + n_out)], numbers[end : end + n_out]))
        start = end + n_out
    return layers


def _numbers(network: Network) -> array[float]:
    found, needed = len(network.numbers), _FLOAT_BYTES * network.shape.n_numbers
    if found != needed:
        raise NetworkError(f"it has {found} bytes of numbers where its shape needs {needed}")
    numbers = array("d", network.numbers)
    if sys.byteorder == "big":
        numbers.byteswap()
    if not all(map(isfinite, numbers)):
        raise NetworkError("it has a number that is not finite")
    start = _SCALING * network.shape.inputs.count(None)
    if not all(numbers[_SCALING - 1 : start : _SCALING]):
        raise NetworkError("it has a number column that is divided by 0")
    return numbers
