"""
The learners that an experiment may name, with their parameters, under the names that they had in Studio.

One module per family. A module declares its learners without importing any library; `fit` imports what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from studio.engine.errors import shown
from studio.engine.learners import (
    boosted_trees,
    decision_forests,
    linear_regression,
    logistic_regression,
    neural_networks,
    online_learners,
    poisson_regression,
    quantile_forest,
)
from studio.engine.learners.kind import Learner, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.learners.quantile_forest import quantiles_of
from studio.engine.sections import Section, advice

__all__ = [
    "LEARNERS",
    "Learner",
    "LearnerKind",
    "Model",
    "Parameters",
    "TrainingRows",
    "quantiles_of",
    "read_learner",
]

_FAMILIES = (
    boosted_trees,
    decision_forests,
    logistic_regression,
    online_learners,
    neural_networks,
    linear_regression,
    poisson_regression,
    quantile_forest,
)

LEARNERS: Mapping[str, LearnerKind] = {kind.name: kind for family in _FAMILIES for kind in family.KINDS}


def read_learner(section: Section) -> Learner | None:
    """Read the section `learner`; None, with a problem reported, when it names no known one."""
    if not section.values:
        return None
    name = section.text("name")
    parameters = section.section("parameters")
    section.close()
    if name not in LEARNERS:
        section.report("name", f"unknown learner {shown(name)}; {advice(name, list(LEARNERS))}")
        return None
    settings = parameters.settings(LEARNERS[name].rules)
    parameters.close()
    return Learner(LEARNERS[name], settings)
