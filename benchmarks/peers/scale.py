"""
Makes a larger file of the same kind: rows repeated, numbers jittered, 2 % of each text column drawn anew.

    python scale.py SOURCE.csv TARGET.csv TIMES
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from adult import CATEGORICAL

_JITTER = {"age": (1, 17, 90), "hours-per-week": (1, 1, 99)}
_REDRAWN = 0.02


def jittered(frame: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return other people of the same kind; each keeps its label."""
    fresh, n_rows = frame.copy(), len(frame)
    for name, (step, least, most) in _JITTER.items():
        fresh[name] = (frame[name] + random.integers(-step, step + 1, n_rows)).clip(least, most)
    for name, spread in {"fnlwgt": 0.1, "capital-gain": 0.02, "capital-loss": 0.02}.items():
        fresh[name] = (frame[name] * random.uniform(1 - spread, 1 + spread, n_rows)).astype("int64")
    for name in CATEGORICAL:
        values = frame[name].to_numpy(object, copy=True)
        hit = random.random(n_rows) < _REDRAWN
        values[hit] = random.choice(values, int(hit.sum()))
        fresh[name] = values
    return fresh


source, target, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
original, generator = pd.read_csv(source), np.random.default_rng(7)
unfinished = target.with_suffix(".part")
original.to_csv(unfinished, index=False)
for _ in range(times - 1):
    jittered(original, generator).to_csv(unfinished, mode="a", header=False, index=False)
unfinished.replace(target)
