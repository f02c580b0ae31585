"""Rows with gaps, made up so that it matters which of them a value is found from, and an experiment on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studio.engine.experiment import parse_experiment
from studio.engine.training import Trained, train

PART_COLUMNS = ["height", "count", "colour", "size"]
_EXPERIMENT = """
name = "Parts"
[columns]
height = "Numeric"
count = "Integer"
colour = "Categorical"
size = "Categorical"
[label]
column = "size"
[missing]
texts = ["", "?"]
[missing.fill]
FILLS
[learner]
name = "Two-Class Logistic Regression"
[web_service]
scored_output = "scored"
"""
REMOVE = '{ rule = "remove-row" }'


def declared_parts(fills: str, more: str = "") -> str:
    return _EXPERIMENT.replace("FILLS", fills) + more


def part_rows(count: int = 400) -> list[list[str]]:
    """Rows whose last quarter lies elsewhere than the others, so that it matters which rows a value is found from."""
    random = np.random.default_rng(5)
    rows = []
    for at in range(count):
        far = 1.0 if at < count * 0.75 else 7.0
        height, number = random.normal(10 * far, 4), int(random.integers(0, 9) * far)
        colour = "red" if far > 1 or random.random() < 0.3 else ("blue", "green")[at % 2]
        size = "large" if height + number + 3 * (colour == "red") + random.normal(0, 4) > 20 * far else "small"
        cells = [f"{height:.3f}", str(number), colour]
        rows.append([*(cell if random.random() > 0.2 else ("", "?")[at % 2] for cell in cells), size])
    return rows


def write_parts(path: Path, rows: list[list[str]]) -> Path:
    path.write_text("\n".join(map(",".join, [PART_COLUMNS, *rows])) + "\n", encoding="utf-8")
    return path


def train_parts(path: Path, fills: str, more: str = "") -> Trained:
    return train(parse_experiment(declared_parts(fills, more), "parts.toml"), path, ".csv", threads=1)


def is_whole(cell: str) -> bool:
    return cell not in ("", "?")
