"""Where champion and challenger disagree: by rows of the holdout, never by their content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task
from shared.reporting.two_class import THRESHOLD

_SHOWN = 20

Flags = NDArray[np.bool_]
Gaps = NDArray[np.float64]


def disagreement_facts(rows: PairedScores, classes: Sequence[str]) -> dict[str, Any]:
    """
    Count the rows that the two models answer differently, and name those where they lie furthest apart.

    Args:
        rows: n rows.
        classes: Names of the classes, for a multi-class model.

    Returns:
        `n_better` rows are put right by the challenger (a regression's: nearer the truth), `n_worse` put wrong.
        `rows` are numbered as in the holdout: 1 is the first below the header.
    """
    differ, better, worse, gaps = _compared(rows)
    furthest = np.argsort(-gaps, kind="stable")[:_SHOWN]
    return {
        "n_rows": len(rows.labels),
        "n_differ": int(differ.sum()),
        "n_better": int(better.sum()),
        "n_worse": int(worse.sum()),
        "mean_distance": float(gaps.mean()),
        "rows": [_row(rows, int(at), classes) for at in furthest if gaps[at] > 0],
    }


def _compared(rows: PairedScores) -> tuple[Flags, Flags, Flags, Gaps]:
    if rows.task is Task.REGRESSION:
        old, new = np.abs(rows.champion - rows.labels), np.abs(rows.challenger - rows.labels)
        return rows.champion != rows.challenger, new < old, new > old, np.abs(rows.challenger - rows.champion)
    if rows.task is Task.MULTICLASS:
        before, after = rows.champion.argmax(axis=1), rows.challenger.argmax(axis=1)
        gaps = np.abs(rows.challenger - rows.champion).sum(axis=1) / 2
    else:
        before, after = rows.champion >= THRESHOLD, rows.challenger >= THRESHOLD
        gaps = np.abs(rows.challenger - rows.champion)
    differ = before != after
    return differ, differ & (after == rows.labels), differ & (before == rows.labels), gaps


def _row(rows: PairedScores, at: int, classes: Sequence[str]) -> dict[str, Any]:
    truth, champion, challenger = rows.labels[at], rows.champion[at], rows.challenger[at]
    if rows.task is Task.MULTICLASS:
        said = (classes[int(champion.argmax())], classes[int(challenger.argmax())])
        return {"row": at + 1, "truth": classes[int(truth)], "champion": said[0], "challenger": said[1]}
    is_ = float(truth) if rows.task is Task.REGRESSION else "positive" if truth else "negative"
    return {"row": at + 1, "truth": is_, "champion": float(champion), "challenger": float(challenger)}
