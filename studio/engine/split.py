"""Which rows train and which measure the model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.design import Split
from studio.engine.errors import ModuleError

_SPLIT = "Split Data"
_TOO_FEW_ROWS = 21


def training_rows(labels: NDArray[Any], n_classes: int, split: Split) -> NDArray[np.bool_]:
    """
    Draw the training rows: a mask as long as `labels`, equal for equal arguments.

    Args:
        labels: Positions in the classes, or values where `n_classes` is 0.

    Raises:
        ModuleError: Too few rows: a side would be empty, or the training side would lack a class.
    """
    chosen = np.zeros(len(labels), np.bool_)
    random = np.random.default_rng(split.seed)
    for group in row_groups(labels, n_classes if split.stratified else 0):
        n_chosen = round(split.fraction * len(group))
        chosen[random.permutation(group)[:n_chosen]] = True
    check_training_rows(labels, n_classes, chosen, _SPLIT)
    return chosen


def row_groups(labels: NDArray[Any], n_classes: int) -> list[NDArray[np.int32]]:
    """Return the numbers of the rows of each class, the last class first; of all rows where there is none."""
    if not n_classes:
        return [np.arange(len(labels), dtype=np.int32)]
    return [np.flatnonzero(labels == one).astype(np.int32) for one in reversed(range(n_classes))]


def check_training_rows(labels: NDArray[Any], n_classes: int, chosen: NDArray[np.bool_], module: str) -> None:
    """Raise ModuleError unless there are rows on both sides, and every class among those chosen to train."""
    counts = np.bincount(labels[chosen], minlength=n_classes) if n_classes else np.array([chosen.sum()])
    if chosen.all() or not counts.all():
        share = f"{chosen.mean():.0%}" if len(chosen) else "some"
        problem = f"{len(labels)} row(s) are too few to train on {share} of them and measure on the others"
        advice = "; every label must be among the training rows: add rows, or stratify" if n_classes else ""
        raise ModuleError(module, _TOO_FEW_ROWS, f"{problem}{advice}")
