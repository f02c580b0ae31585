"""A small experiment and its data, made up so that a test can see what each row does."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import pytest

from studio.engine.errors import ModelFileError
from studio.engine.scorer import Scorer

MEGABYTE = 1 << 20

SMALL = """
name = "Will it rain?"
[columns]
pressure = "Numeric"
month = "Integer"
wind = "Categorical"
note = "Categorical"
rain = "Categorical"
[label]
column = "rain"
[features]
drop = ["note"]
[missing]
texts = ["", "?"]
[missing.fill]
wind = "calm"
[split]
stratified = true
[learner]
name = "Two-Class Boosted Decision Tree"
[learner.parameters]
"Number of trees constructed" = 5
"Minimum number of samples per leaf node" = 2
[web_service.parameters]
"Random seed" = { sets = "split.seed" }
"Trees" = { sets = "learner.Number of trees constructed" }
"""

SMALL_HEADER = "pressure,month,wind,note,rain"


def small_rows(count: int = 600) -> list[str]:
    """Lines whose label follows from pressure and wind; every tenth wind is missing."""
    lines = []
    for at in range(count):
        pressure, wind = 980 + at % 50, ("north", "west", "south")[at // 7 % 3]
        rain = "yes" if pressure < 995 or (wind == "west" and pressure < 1020) else "no"
        lines.append(f"{pressure}.5,{at % 12 + 1},{'?' if at % 10 == 0 else wind},n{at},{rain}")
    return lines


@dataclass(frozen=True)
class Census:
    """A labelled file with Adult's columns."""

    path: Path
    is_real: bool


def refused(data: bytes, *, within: int = 24 * MEGABYTE) -> str:
    """Read a model, expecting a refusal that takes no more than `within` bytes beside the input; return its text."""
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError) as caught:
            Scorer.load(data)
        assert tracemalloc.get_traced_memory()[1] < within
    finally:
        tracemalloc.stop()
    return str(caught.value)
