"""Data with a label for every task, and declarations for every learner: small enough to train each in a moment."""

from __future__ import annotations

import random
from math import exp

from studio.engine.learners import LEARNERS
from studio.engine.settings import Setting

HEADER = "width,weight,colour,defect,grade,count"
LABELS = {"two-class": "defect", "multiclass": "grade", "regression": "count"}
_ITERATIONS = "Number of learning iterations"
QUICK: dict[str, dict[str, Setting]] = {
    "Two-Class Boosted Decision Tree": {"Number of trees constructed": 12},
    "Multiclass Boosted Decision Tree": {"Number of trees constructed": 12},
    "Boosted Decision Tree Regression": {"Total number of trees constructed": 12},
    "Two-Class Neural Network": {"Number of hidden nodes": "6;4", "Learning rate": 0.5, _ITERATIONS: 10},
    "Multiclass Neural Network": {"Number of hidden nodes": 6, "The learning rate": 0.5, _ITERATIONS: 10},
    "Neural Network Regression": {"Number of hidden nodes": 6, "Learning rate": 0.05, _ITERATIONS: 10},
    "Two-Class Support Vector Machine": {"Number of iterations": 5},
    "Fast Forest Quantile Regression": {"Number of Trees": 15},
}


def lines(count: int = 700, seed: int = 5) -> list[str]:
    """Rows whose labels follow from the other columns, with some noise; widths and colours are missing now and then."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        width, weight = draw.gauss(20, 4), draw.randint(100, 900)
        colour = draw.choice(["blue", "green", "red"])
        pull = (width - 20) / 4 + {"blue": -0.7, "green": 0.2, "red": 0.9}[colour]
        defect = "yes" if pull + draw.gauss(0, 0.6) > 0.4 else "no"
        grade = "C" if weight > 600 else "A" if pull + draw.gauss(0, 0.3) > 0 else "B"
        number = round(exp(1 + pull / 2 + weight / 600) + draw.random())
        shown = ["" if draw.random() < 0.04 else f"{width:.3f}", weight, "?" if draw.random() < 0.04 else colour]
        found.append(",".join(map(str, [*shown, defect, grade, number])))
    return found


def declaration(name: str, more: str = "", /, **parameters: Setting) -> str:
    """Declare an experiment with this learner, on the label of its task."""
    label = LABELS[LEARNERS[name].task.value]
    dropped = [column for column in LABELS.values() if column != label]
    settings = {**QUICK.get(name, {}), **parameters}
    written = "\n".join(f'"{key}" = {_toml(value)}' for key, value in settings.items())
    return f"""
name = "Parts: {name}"
[columns]
width = "Numeric"
weight = "Integer"
colour = "Categorical"
defect = "Categorical"
grade = "Categorical"
count = "Integer"
[label]
column = "{label}"
[features]
drop = {dropped}
[missing]
texts = ["", "?"]
[learner]
name = "{name}"
[learner.parameters]
{written}
{more}
"""


def _toml(value: Setting) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
