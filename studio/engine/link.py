"""What turns a model's sums into its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from math import exp, inf

_LARGEST_EXPONENT = 709.0  # exp overflows a 64-bit float just above


class Link(Enum):
    """The function between the sums of a row and its answers; the value is its name in a model file."""

    IDENTITY = "identity"
    LOGISTIC = "logistic"
    SOFTMAX = "softmax"
    EXPONENTIAL = "exponential"

    def apply(self, sums: Sequence[float]) -> list[float]:
        """Return as many answers as sums; overflow gives infinity and never an error."""
        return _FUNCTIONS[self](sums)


def logistic(value: float) -> float:
    """Return 1 / (1 + exp(-value)), without overflow on either side."""
    if value >= 0:
        return 1 / (1 + exp(-value))
    power = exp(value)
    return power / (1 + power)


def _softmax(sums: Sequence[float]) -> list[float]:
    largest = max(sums)
    powers = [exp(value - largest) for value in sums]
    total = sum(powers)
    return [power / total for power in powers]


def _exponential(sums: Sequence[float]) -> list[float]:
    return [inf if value > _LARGEST_EXPONENT else exp(value) for value in sums]


_FUNCTIONS: Mapping[Link, Callable[[Sequence[float]], list[float]]] = {
    Link.IDENTITY: list,
    Link.LOGISTIC: lambda sums: [logistic(value) for value in sums],
    Link.SOFTMAX: _softmax,
    Link.EXPONENTIAL: _exponential,
}
