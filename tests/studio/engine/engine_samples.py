"""A small experiment and its data, made up so that a test can see what each row does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
