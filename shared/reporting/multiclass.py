"""What multi-class answers to labelled rows show: both confusion matrices, recall by class, what is mixed up most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.measuring.measures import Answers, Truth
from shared.domain.measuring.paired import PairedScores

_MOST_CLASSES = 12  # that a matrix is shown for
_CONFUSIONS = 10

Json = dict[str, Any]


def multiclass_facts(rows: PairedScores, classes: Sequence[str]) -> Json:
    """
    Describe both models on the same rows.

    Args:
        rows: n rows; labels are positions in `classes`, answers n × k probabilities in the same order.
        classes: k names.

    Returns:
        Matrices are counts, truth by row and prediction by column; empty above twelve classes.
    """
    old, new = (_matrix(rows.labels, answers, len(classes)) for answers in (rows.champion, rows.challenger))
    shown = len(classes) <= _MOST_CLASSES
    return {
        "n_rows": len(rows.labels),
        "classes": list(classes),
        "champion": old.tolist() if shown else [],
        "challenger": new.tolist() if shown else [],
        "recall": [
            {"class": name, "n": int(old[at].sum()), "champion": _share(old[at], at), "challenger": _share(new[at], at)}
            for at, name in enumerate(classes)
        ],
        "confusions": _confusions(old, new, classes),
    }


def _matrix(labels: Truth, answers: Answers, n_classes: int) -> NDArray[np.int64]:
    cells = labels.astype(np.int64) * n_classes + answers.argmax(axis=1)
    return np.bincount(cells, minlength=n_classes * n_classes).reshape(n_classes, n_classes)


def _share(counts: NDArray[np.int64], at: int) -> float | None:
    return float(counts[at] / counts.sum()) if counts.sum() else None


def _confusions(old: NDArray[np.int64], new: NDArray[np.int64], classes: Sequence[str]) -> list[Json]:
    """List the pairs that the challenger mixes up most, with what the champion made of them."""
    wrong = new - np.diag(np.diag(new))
    pairs = [divmod(int(cell), len(classes)) for cell in np.argsort(-wrong, axis=None, kind="stable")[:_CONFUSIONS]]
    return [
        {"is": classes[is_], "said": classes[said], "champion": int(old[is_, said]), "challenger": int(new[is_, said])}
        for is_, said in pairs
        if wrong[is_, said]
    ]
