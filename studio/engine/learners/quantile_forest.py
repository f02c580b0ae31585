"""Fast Forest Quantile Regression: one forest per quantile, grown by LightGBM on the quantile's own loss."""

from __future__ import annotations

from studio.engine.learners.kind import COMMON_RULES, SEED, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.scored_columns import Answers
from studio.engine.settings import NumberList, Rule, numbers_of
from studio.engine.task import Task

_TREES = "Number of Trees"
_LEAVES = "Number of Leaves"
_SAMPLES = "Minimum number of training instances required to form a leaf"
_BAG = "Bagging fraction"
_TREE_FEATURES = "Feature fraction"
_NODE_FEATURES = "Split fraction"
_SAMPLE_COUNT = "Quantile sample count"
_QUANTILES = "Quantiles to be estimated"

_ALMOST_ALL = 1 - 1e-9  # the library's forests want something left out


def quantiles_of(parameters: Parameters) -> tuple[float, ...]:
    """Return the quantiles that parameters ask for, rising and distinct; none where there is no such parameter."""
    return tuple(sorted(set(numbers_of(parameters[_QUANTILES])))) if _QUANTILES in parameters else ()


def _fit(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np

    from studio.engine.forests import grow_forests

    settings = {
        "objective": "quantile",
        "num_leaves": parameters[_LEAVES],
        "min_data_in_leaf": parameters[_SAMPLES],
        "min_sum_hessian_in_leaf": 0,
        "bagging_fraction": min(float(parameters[_BAG]), _ALMOST_ALL),
        "bagging_freq": 1,
        "feature_fraction": parameters[_TREE_FEATURES],
        "feature_fraction_bynode": parameters[_NODE_FEATURES],
        "seed": parameters[SEED],
    }
    quantiles = quantiles_of(parameters)
    each = [{"alpha": quantile} for quantile in quantiles]
    labels = [rows.labels.astype(np.float32)] * len(quantiles)
    return grow_forests(rows, labels, int(parameters[_TREES]), settings, each)


_FRACTION = Rule(float, 0.7, 0.01, 1)

KINDS = (
    LearnerKind(
        name="Fast Forest Quantile Regression",
        task=Task.REGRESSION,
        answers=Answers.QUANTILES,
        rules={
            _TREES: Rule(int, 100, 1, 10_000),
            _LEAVES: Rule(int, 20, 2, 32_768),
            _SAMPLES: Rule(int, 10, 1),
            _BAG: _FRACTION,
            _TREE_FEATURES: _FRACTION,
            _NODE_FEATURES: _FRACTION,
            _SAMPLE_COUNT: Rule(int, 100, 1),
            _QUANTILES: NumberList(Rule(float, 0.5, 0.001, 0.999), "0.25;0.5;0.75", 20),
            **COMMON_RULES,
        },
        fit=_fit,
        library="lightgbm",
        inert=frozenset({_SAMPLE_COUNT}),  # every training row of a leaf counts
    ),
)
