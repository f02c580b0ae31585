"""Which rows train and which measure the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.engine.errors import ModuleError
from studio.engine.experiment import Split


def training_rows(labels: NDArray[np.bool_], split: Split) -> NDArray[np.bool_]:
    """
    Draw the training rows: a mask as long as `labels`, equal for equal arguments.

    Raises:
        ModuleError: Too few rows: a side would be empty, or the training side would know one label only.
    """
    chosen = np.zeros(len(labels), np.bool_)
    random = np.random.default_rng(split.seed)
    groups = [np.flatnonzero(labels), np.flatnonzero(~labels)] if split.stratified else [np.arange(len(labels))]
    for group in groups:
        n_chosen = round(split.fraction * len(group))
        chosen[random.permutation(group)[:n_chosen]] = True
    if chosen.all() or not 0 < labels[chosen].sum() < chosen.sum():
        problem = f"{len(labels)} row(s) are too few to train on {split.fraction:.0%} of them and measure on the others"
        raise ModuleError("Split Data", 21, f"{problem}; both labels must be among the training rows")
    return chosen
