"""UCI Adult as the peers' scripts see it: columns, and which rows train."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CATEGORICAL = [
    "workclass",
    "education",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "native-country",
]
NUMERIC = ["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
LABEL, POSITIVE = "income", ">50K"

_TRAINING_FRACTION = 0.7
_SEED = 0


def training_rows(n_rows: int) -> NDArray[np.bool_]:
    """Draw the rows that train, the same that the service draws for `adult.toml`."""
    chosen = np.zeros(n_rows, np.bool_)
    order = np.random.default_rng(_SEED).permutation(np.arange(n_rows))
    chosen[order[: round(_TRAINING_FRACTION * n_rows)]] = True
    return chosen
