"""By which figure models are ranked: the metrics of each kind of answer, and which way they point."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isnan

from studio.engine.scored_columns import Answers

_SEVERAL_CLASSES = (
    "Overall accuracy",
    "Average accuracy",
    "Micro-averaged precision",
    "Macro-averaged precision",
    "Micro-averaged recall",
    "Macro-averaged recall",
)
_VALUES = (
    "Mean Absolute Error",
    "Root Mean Squared Error",
    "Relative Absolute Error",
    "Relative Squared Error",
    "Coefficient of Determination",
)

# The first is what models are ranked by where nothing else is asked for.
METRICS: Mapping[Answers, tuple[str, ...]] = {
    Answers.PROBABILITY: (
        "Accuracy",
        "Precision",
        "Recall",
        "F-Score",
        "AUC",
        "Average Log Loss",
        "Training Log Loss",
    ),
    Answers.PROBABILITIES: _SEVERAL_CLASSES,
    Answers.SHARES: _SEVERAL_CLASSES,
    Answers.VALUE: _VALUES,
    Answers.MOMENTS: (*_VALUES, "Negative Log Likelihood"),
    Answers.QUANTILES: ("Average Quantile Loss",),
}

_LOWER_IS_BETTER = {
    "Average Log Loss",
    "Negative Log Likelihood",
    "Mean Absolute Error",
    "Root Mean Squared Error",
    "Relative Absolute Error",
    "Relative Squared Error",
    "Average Quantile Loss",
}


def rank(metric: str, value: float) -> float:
    """Return a number that is higher for a better model; what is not a number is worst."""
    if isnan(value):
        return -inf
    return -value if metric in _LOWER_IS_BETTER else value
