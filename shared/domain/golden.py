"""Golden rows: the few rows whose answers tell whether an endpoint serves one model or the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shared.domain.paired import Scores

TOLERANCE = 1e-6  # of a probability that has travelled as text


def choose(champion: Scores, challenger: Scores, count: int = 20) -> list[int]:
    """
    Return the positions of the rows where two models disagree most, most first.

    Args:
        champion: n probabilities.
        challenger: n probabilities of the same rows.
        count: At most so many; fewer when the models disagree on fewer. A row that either scored with no finite number
            is never chosen.
    """
    gaps = np.abs(challenger - champion)
    ranked = np.argsort(-gaps, kind="stable")[:count]
    return [int(position) for position in ranked if gaps[position] > TOLERANCE]


def agree(expected: Sequence[float], answers: Sequence[float]) -> bool:
    """Whether an endpoint's answers are the expected ones; no rows prove nothing, so they do not agree."""
    if not expected or len(expected) != len(answers):
        return False
    return bool(np.all(np.abs(np.asarray(expected) - np.asarray(answers)) <= TOLERANCE))
