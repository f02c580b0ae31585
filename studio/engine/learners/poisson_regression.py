"""Poisson regression of counts, fitted by scipy."""

from __future__ import annotations

from studio.engine.learners.kind import LearnerKind, Model, Parameters, TrainingRows
from studio.engine.learners.lbfgs_parameters import LBFGS_INERT, LBFGS_RULES, penalty_of
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.task import Task


def _fit(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np

    from studio.engine.regularized import fit_model, poisson_loss

    mean = float(rows.labels.mean())
    if rows.labels.min() < 0 or not mean:
        raise ValueError("the label has to be a count: nowhere below 0, and above it somewhere")
    return fit_model(rows, poisson_loss, Link.EXPONENTIAL, np.log([mean]), penalty_of(parameters))


KINDS = (
    LearnerKind(
        name="Poisson Regression",
        task=Task.REGRESSION,
        answers=Answers.VALUE,
        rules=LBFGS_RULES,
        fit=_fit,
        library="scipy",
        inert=LBFGS_INERT,
    ),
)
