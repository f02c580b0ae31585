"""Logistic regression of two and of several classes, fitted by scipy."""

from __future__ import annotations

from studio.engine.learners.kind import LearnerKind, Model, Parameters, TrainingRows
from studio.engine.learners.lbfgs_parameters import LBFGS_INERT, LBFGS_RULES, penalty_of
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.task import Task


def _fit_two_class(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np

    from studio.engine.regularized import fit_model, logistic_loss

    return fit_model(rows, logistic_loss, Link.LOGISTIC, np.zeros(1), penalty_of(parameters))


def _fit_multiclass(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np

    from studio.engine.regularized import fit_model, softmax_loss

    return fit_model(rows, softmax_loss, Link.SOFTMAX, np.zeros(rows.n_classes), penalty_of(parameters))


KINDS = (
    LearnerKind(
        name="Two-Class Logistic Regression",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=LBFGS_RULES,
        fit=_fit_two_class,
        library="scipy",
        inert=LBFGS_INERT,
    ),
    LearnerKind(
        name="Multiclass Logistic Regression",
        task=Task.MULTICLASS,
        answers=Answers.PROBABILITIES,
        rules=LBFGS_RULES,
        fit=_fit_multiclass,
        library="scipy",
        inert=LBFGS_INERT,
    ),
)
