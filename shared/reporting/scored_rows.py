"""The evidence of a verdict as a table: what each holdout row is, and what both models said of it."""

from __future__ import annotations

import io

import numpy as np

from shared.domain.paired import PairedScores

SCORES = "scores.csv"  # among a run's artifacts
_HEADER = "is_positive,champion,challenger"


def scores_csv(rows: PairedScores) -> bytes:
    """Write one line for each holdout row, in the holdout's order; no cell of the row itself."""
    buffer = io.StringIO()
    table = np.column_stack((rows.labels, rows.champion, rows.challenger))
    np.savetxt(buffer, table, fmt=("%d", "%.17g", "%.17g"), delimiter=",", header=_HEADER, comments="")
    return buffer.getvalue().encode()


def parse_scores(data: bytes) -> PairedScores:
    """Read what `scores_csv` wrote; the scores come back to the last bit."""
    table = np.loadtxt(io.BytesIO(data), delimiter=",", skiprows=1, ndmin=2)
    return PairedScores(table[:, 0] > 0, table[:, 1], table[:, 2])
