"""What predictions of a number show: predicted by actual, residuals, error by tenth of the target."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.measuring.measures import Answers, Truth
from shared.domain.measuring.paired import PairedScores

_POINTS = 150  # of a scatter
_BINS = 15
_TENTHS = 10

Json = dict[str, Any]


def regression_facts(rows: PairedScores) -> Json:
    """
    Describe both models on the same rows.

    Args:
        rows: n rows; labels and answers are finite numbers in the target's unit.

    Returns:
        Residuals are predicted − actual. Points are spread evenly over the rows, sorted by the target.
    """
    order = np.argsort(rows.labels, kind="stable")
    some = order[np.unique(np.linspace(0, len(order) - 1, _POINTS).astype(int))]
    residuals = {"champion": rows.champion - rows.labels, "challenger": rows.challenger - rows.labels}
    edges = np.histogram_bin_edges(np.concatenate(list(residuals.values())), bins=_BINS)
    return {
        "n_rows": len(rows.labels),
        "bins": [float(edge) for edge in edges],
        "by_tenth": _by_tenth(rows.labels, residuals, order),
        **{
            who: {
                "points": [[float(rows.labels[at]), float(answers[at])] for at in some],
                "residuals": np.histogram(residuals[who], bins=edges)[0].tolist(),
                **_spread(residuals[who]),
            }
            for who, answers in _answers(rows)
        },
    }


def _answers(rows: PairedScores) -> list[tuple[str, Answers]]:
    return [("champion", rows.champion), ("challenger", rows.challenger)]


def _spread(residuals: NDArray[np.float64]) -> Json:
    low, middle, high = np.quantile(residuals, [0.05, 0.5, 0.95])
    return {"mean": float(residuals.mean()), "q05": float(low), "median": float(middle), "q95": float(high)}


def _by_tenth(labels: Truth, residuals: dict[str, NDArray[np.float64]], order: NDArray[np.int64]) -> list[Json]:
    return [
        {
            "from": float(labels[part[0]]),
            "to": float(labels[part[-1]]),
            "n": len(part),
            **{who: float(np.abs(errors[part]).mean()) for who, errors in residuals.items()},
        }
        for part in np.array_split(order, _TENTHS)
        if len(part)
    ]
