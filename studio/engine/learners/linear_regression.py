"""Linear regression, by least squares or by gradient descent, fitted by scikit-learn."""

from __future__ import annotations

from studio.engine.learners.kind import COMMON_RULES, LEAST, SEED, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.settings import Choice, Rule
from studio.engine.task import Task

_METHOD = "Solution method"
_LEAST_SQUARES, _DESCENT = "Ordinary Least Squares", "Online Gradient Descent"
_L2 = "L2 regularization weight"
_INTERCEPT = "Include intercept term"
_RATE = "Learning rate"
_EPOCHS = "Number of training epochs"
_NORMALIZE = "Normalize features"
_AVERAGE = "Average final hypothesis"
_DECREASE = "Decrease learning rate"

_PRECISION = 1e-12  # relative, of the conjugate gradients that solve the normal equations


def _fit(rows: TrainingRows, parameters: Parameters) -> Model:
    return (_fit_least_squares if parameters[_METHOD] == _LEAST_SQUARES else _fit_descent)(rows, parameters)


def _fit_least_squares(rows: TrainingRows, parameters: Parameters) -> Model:
    import numpy as np
    from sklearn.linear_model import Ridge  # type: ignore[import-untyped]

    from studio.engine.encoding import Encoding, Normalizer

    intercept = parameters[_INTERCEPT] is True
    encoding = Encoding.fitted(rows.features.matrix, rows.n_levels, Normalizer.GAUSSIAN, centred=intercept)
    learner = Ridge(alpha=parameters[_L2], fit_intercept=intercept, solver="sparse_cg", tol=_PRECISION)
    learner.fit(encoding.matrix(rows.features.matrix), rows.labels)
    layer = learner.coef_[:, np.newaxis], np.array([learner.intercept_], np.float64)
    return encoding.network([layer], Link.IDENTITY)


def _fit_descent(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.linear_model import SGDRegressor

    from studio.engine.encoding import Encoding, Normalizer, scaled_labels, unscaled

    normalizer = Normalizer.MIN_MAX if parameters[_NORMALIZE] else Normalizer.NONE
    encoding = Encoding.fitted(rows.features.matrix, rows.n_levels, normalizer)
    learner = SGDRegressor(
        alpha=parameters[_L2],
        learning_rate="invscaling" if parameters[_DECREASE] else "constant",
        eta0=parameters[_RATE],
        average=parameters[_AVERAGE],
        max_iter=parameters[_EPOCHS],
        tol=None,
        random_state=parameters[SEED],
    )
    labels, scale = scaled_labels(rows.labels)
    learner.fit(encoding.matrix(rows.features.matrix), labels)
    return encoding.network([unscaled((learner.coef_.reshape(-1, 1), learner.intercept_), scale)], Link.IDENTITY)


KINDS = (
    LearnerKind(
        name="Linear Regression",
        task=Task.REGRESSION,
        answers=Answers.VALUE,
        rules={
            _METHOD: Choice((_LEAST_SQUARES, _DESCENT)),
            _L2: Rule(float, 0.001, 0, 1e9),
            _INTERCEPT: Rule(bool, True),
            _RATE: Rule(float, 0.1, LEAST, 1e6),
            _EPOCHS: Rule(int, 10, 1, 100_000),
            _NORMALIZE: Rule(bool, True),
            _AVERAGE: Rule(bool, True),
            _DECREASE: Rule(bool, True),
            **COMMON_RULES,
        },
        fit=_fit,
        library="scikit-learn",
    ),
)
