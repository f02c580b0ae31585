"""Boosted decision trees, grown by LightGBM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from studio.engine.learners.kind import COMMON_RULES, SEED, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.settings import AnyRule, Rule
from studio.engine.task import Task
from studio.engine.tree_ensemble import TreeEnsemble
from studio.engine.tree_text import TreeShape

_LEAVES = "Maximum number of leaves per tree"
_SAMPLES = "Minimum number of samples per leaf node"
_RATE = "Learning rate"
_TREES = "Number of trees constructed"
_TOTAL_TREES = "Total number of trees constructed"  # what Studio calls it in the learner for regression

_OBJECTIVES: Mapping[Link, str] = {
    Link.LOGISTIC: "binary",
    Link.SOFTMAX: "multiclass",
    Link.IDENTITY: "regression",
}


def _fit(rows: TrainingRows, parameters: Parameters, *, link: Link, trees: str = _TREES) -> Model:
    import numpy as np

    from studio.engine.tree_growing import TreeGrower

    shape = TreeShape(rows.features.shape[1], rows.n_classes if link is Link.SOFTMAX else 1, link)
    settings = {
        "objective": _OBJECTIVES[link],
        "num_class": shape.n_outputs,
        "num_leaves": parameters[_LEAVES],
        "min_data_in_leaf": parameters[_SAMPLES],
        "learning_rate": parameters[_RATE],
        "seed": parameters[SEED],
    }
    with TreeGrower(rows.features, categorical=rows.categorical, settings=settings, threads=rows.threads) as grower:
        text = grower.grow(rows.labels.astype(np.float32), int(parameters[trees]))
    return TreeEnsemble.checked(text, shape)


def _rules(trees: str = _TREES) -> Mapping[str, AnyRule]:
    return {
        _LEAVES: Rule(int, 20, 2, 131072),
        _SAMPLES: Rule(int, 10, 1),
        _RATE: Rule(float, 0.2, 1e-6, 1),
        trees: Rule(int, 100, 1, 100_000),
        **COMMON_RULES,
    }


KINDS = (
    LearnerKind(
        name="Two-Class Boosted Decision Tree",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=_rules(),
        fit=partial(_fit, link=Link.LOGISTIC),
        library="lightgbm",
    ),
    LearnerKind(
        name="Multiclass Boosted Decision Tree",
        task=Task.MULTICLASS,
        answers=Answers.PROBABILITIES,
        rules=_rules(),
        fit=partial(_fit, link=Link.SOFTMAX),
        library="lightgbm",
    ),
    LearnerKind(
        name="Boosted Decision Tree Regression",
        task=Task.REGRESSION,
        answers=Answers.VALUE,
        rules=_rules(_TOTAL_TREES),
        fit=partial(_fit, link=Link.IDENTITY, trees=_TOTAL_TREES),
        library="lightgbm",
    ),
)
