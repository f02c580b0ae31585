"""Golden rows: the few rows whose answers tell whether an endpoint serves one model or the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TOLERANCE = 1e-6  # of a number that has travelled as text; of its size where that is above one


def choose(champion: NDArray[np.float64], challenger: NDArray[np.float64], count: int = 20) -> list[int]:
    """
    Return the positions of the rows where two models disagree most, most first.

    Args:
        champion: n answers, or n rows of k class probabilities.
        challenger: The answers to the same rows, in the same shape.
        count: At most so many; fewer when the models disagree on fewer. A row that either scored with no finite number
            is never chosen.
    """
    gaps = _gaps(champion, challenger)
    ranked = np.argsort(-gaps, kind="stable")[:count]
    return [int(position) for position in ranked if gaps[position] > TOLERANCE]


def agree(expected: Any, answers: Any) -> bool:
    """Whether an endpoint's answers are the expected ones; no rows prove nothing, so they do not agree."""
    wanted, given = np.asarray(expected, dtype=np.float64), np.asarray(answers, dtype=np.float64)
    if not wanted.size or wanted.shape != given.shape:
        return False
    return bool(np.all(_gaps(wanted, given) <= TOLERANCE))


def _gaps(one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
    """Return how far apart n answers are: by the class that differs most; large numbers relative to their size."""
    first, second = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if first.shape != second.shape:  # models of different classes: every row tells them apart
        return np.full(len(first), np.inf)
    gaps = np.abs(second - first) / np.maximum(1.0, np.abs(first))
    widest: NDArray[np.float64] = gaps if gaps.ndim == 1 else gaps.max(axis=1)
    return widest
