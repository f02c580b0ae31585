"""Where champion and challenger disagree: by rows of the holdout, never by their content."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.domain.paired import PairedScores
from shared.reporting.two_class import THRESHOLD

_SHOWN = 20


def disagreement_facts(rows: PairedScores) -> dict[str, Any]:
    """
    Count the rows that the two models label differently, and name those where their scores lie furthest apart.

    Returns:
        `rows` are numbered as in the holdout: 1 is the first below the header.
    """
    before, after = rows.champion >= THRESHOLD, rows.challenger >= THRESHOLD
    differ = before != after
    gaps = np.abs(rows.challenger - rows.champion)
    furthest = np.argsort(-gaps, kind="stable")[:_SHOWN]
    return {
        "n_rows": len(rows.labels),
        "n_differ": int(differ.sum()),
        "n_put_right": int((differ & (after == rows.labels)).sum()),
        "n_put_wrong": int((differ & (before == rows.labels)).sum()),
        "mean_distance": float(gaps.mean()),
        "rows": [
            {
                "row": int(position) + 1,
                "is_positive": bool(rows.labels[position]),
                "champion": float(rows.champion[position]),
                "challenger": float(rows.challenger[position]),
            }
            for position in furthest
            if gaps[position] > 0
        ],
    }
