"""
Decision forests: full-grown trees, each on a bag of rows of its own, grown by LightGBM and averaged.

A class's probability is the mean, over the trees, of its share in the leaf. In regression a row gets mean and spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import e, sqrt

from studio.engine.learners.kind import LearnerKind, Model, Parameters, TrainingRows
from studio.engine.scored_columns import Answers
from studio.engine.settings import AnyRule, Choice, Rule
from studio.engine.task import Task

_RESAMPLING = "Resampling method"
_BAGGING, _REPLICATE = "Bagging", "Replicate"
_TREES = "Number of decision trees"
_DEPTH = "Maximum depth of the decision trees"
_SPLITS = "Number of random splits per node"
_SAMPLES = "Minimum number of samples per leaf node"
_UNKNOWN = "Allow unknown values for categorical features"

_BAG = 1 - 1 / e  # the share of rows that drawing as many as there are, with replacement, is expected to find
_MAX_LEAVES = 32_768  # per tree; so many take about 3 MB of a model file


def _fit_two_class(rows: TrainingRows, parameters: Parameters) -> Model:
    return _fit_shares(rows, parameters, [1])


def _fit_multiclass(rows: TrainingRows, parameters: Parameters) -> Model:
    return _fit_shares(rows, parameters, range(rows.n_classes))


def _fit_shares(rows: TrainingRows, parameters: Parameters, classes: Sequence[int]) -> Model:
    import numpy as np

    from studio.engine.forests import grow_forests

    labels = [(rows.labels == one).astype(np.float32) for one in classes]
    forest = grow_forests(rows, labels, int(parameters[_TREES]), _settings(rows, parameters))
    # The library's gradients have 32 bits, so that a share may lie beyond its bounds by a hundred-millionth.
    return forest.with_leaf_values([np.clip(leaves, 0, 1).tolist() for leaves in forest.leaf_values()])


def _fit_regression(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np

    from studio.engine.forests import grow_forests, moments

    labels = [rows.labels.astype(np.float32)]
    return moments(rows, grow_forests(rows, labels, int(parameters[_TREES]), _settings(rows, parameters)))


def _settings(rows: TrainingRows, parameters: Parameters) -> dict[str, object]:
    """Translate to LightGBM's names; a node looks at as many features as is usual in forests of its task."""
    n_rows, n_features = rows.features.shape
    samples, depth = int(parameters[_SAMPLES]), int(parameters[_DEPTH])
    resampling: dict[str, object] = {"bagging_fraction": _BAG, "bagging_freq": 1}
    if parameters[_RESAMPLING] == _REPLICATE:
        resampling = {"feature_fraction": 1 - 1e-9}  # the library's forests want something left out: here, nothing is
    return {
        **resampling,
        "feature_fraction_bynode": 1 / sqrt(n_features) if rows.n_classes else 1.0,
        "max_depth": depth,
        "num_leaves": max(2, min(_MAX_LEAVES, n_rows // samples, 2 ** min(depth, 31))),
        "min_data_in_leaf": samples,
        "min_sum_hessian_in_leaf": 0,
        "min_data_per_group": samples,
        "min_data_in_bin": 1,
        "max_bin": max(2, int(parameters[_SPLITS])),
        "seed": 0,  # Studio's decision forests have no such parameter
    }


_RULES: Mapping[str, AnyRule] = {
    _RESAMPLING: Choice((_BAGGING, _REPLICATE)),
    _TREES: Rule(int, 8, 1, 10_000),
    _DEPTH: Rule(int, 32, 1, 1000),
    _SPLITS: Rule(int, 128, 1, 65_535),
    _SAMPLES: Rule(int, 1, 1),
    _UNKNOWN: Rule(bool, True),
}

KINDS = (
    LearnerKind(
        name="Two-Class Decision Forest",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=_RULES,
        fit=_fit_two_class,
        library="lightgbm",
        unknown_levels=_UNKNOWN,
    ),
    LearnerKind(
        name="Multiclass Decision Forest",
        task=Task.MULTICLASS,
        answers=Answers.SHARES,
        rules=_RULES,
        fit=_fit_multiclass,
        library="lightgbm",
        unknown_levels=_UNKNOWN,
    ),
    LearnerKind(
        name="Decision Forest Regression",
        task=Task.REGRESSION,
        answers=Answers.MOMENTS,
        rules=_RULES,
        fit=_fit_regression,
        library="lightgbm",
        unknown_levels=_UNKNOWN,
    ),
)
