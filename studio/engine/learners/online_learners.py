"""
Linear learners of two classes that look at one row after the other: averaged perceptron, support vector machine.

Fitted by scikit-learn. Their sums are no probabilities; a sigmoid fitted to the training rows makes them so (Platt's
calibration), and goes into the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studio.engine.learners.kind import COMMON_RULES, LEAST, SEED, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.settings import AnyRule, Rule
from studio.engine.task import Task

if TYPE_CHECKING:
    from studio.engine.encoding import Layer

_RATE = "Learning rate"
_MAX_ITERATIONS = "Maximum number of iterations"
_ITERATIONS = "Number of iterations"
_LAMBDA = "Lambda"
_NORMALIZE = "Normalize features"
_PROJECT = "Project to the unit-sphere"


def _fit_perceptron(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.linear_model import SGDClassifier  # type: ignore[import-untyped]

    from studio.engine.encoding import Encoding, Normalizer

    encoding = Encoding.fitted(rows.features.matrix, rows.n_levels, Normalizer.GAUSSIAN)
    learner = SGDClassifier(
        loss="perceptron",
        penalty=None,
        learning_rate="constant",
        eta0=parameters[_RATE],
        average=True,
        max_iter=parameters[_MAX_ITERATIONS],
        tol=None,
        random_state=parameters[SEED],
    )
    return encoding.network([_calibrated(learner, encoding.matrix(rows.features.matrix), rows.labels)], Link.LOGISTIC)


def _fit_support_vector_machine(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.linear_model import SGDClassifier

    from studio.engine.encoding import Encoding, Normalizer

    normalizer = Normalizer.GAUSSIAN if parameters[_NORMALIZE] else Normalizer.NONE
    project = parameters[_PROJECT] is True
    encoding = Encoding.fitted(rows.features.matrix, rows.n_levels, normalizer, unit_length=project)
    learner = SGDClassifier(
        loss="hinge",
        alpha=parameters[_LAMBDA],
        max_iter=parameters[_ITERATIONS],
        tol=None,
        random_state=parameters[SEED],
    )
    return encoding.network([_calibrated(learner, encoding.matrix(rows.features.matrix), rows.labels)], Link.LOGISTIC)


def _calibrated(learner: Any, inputs: Any, labels: Any) -> Layer:
    from sklearn.calibration import CalibratedClassifierCV  # type: ignore[import-untyped]
    from sklearn.frozen import FrozenEstimator  # type: ignore[import-untyped]

    learner.fit(inputs, labels)
    calibration = CalibratedClassifierCV(FrozenEstimator(learner), method="sigmoid").fit(inputs, labels)
    [sigmoid] = calibration.calibrated_classifiers_[0].calibrators  # 1 / (1 + exp(a · sum + b))
    return -sigmoid.a_ * learner.coef_.T, -sigmoid.a_ * learner.intercept_ - sigmoid.b_


_PERCEPTRON_RULES: Mapping[str, AnyRule] = {
    _RATE: Rule(float, 1.0, LEAST, 1e6),
    _MAX_ITERATIONS: Rule(int, 10, 1, 100_000),
    **COMMON_RULES,
}
_MACHINE_RULES: Mapping[str, AnyRule] = {
    _ITERATIONS: Rule(int, 1, 1, 100_000),
    _LAMBDA: Rule(float, 0.001, LEAST, 1e6),
    _NORMALIZE: Rule(bool, True),
    _PROJECT: Rule(bool, False),
    **COMMON_RULES,
}

KINDS = (
    LearnerKind(
        name="Two-Class Averaged Perceptron",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=_PERCEPTRON_RULES,
        fit=_fit_perceptron,
        library="scikit-learn",
    ),
    LearnerKind(
        name="Two-Class Support Vector Machine",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=_MACHINE_RULES,
        fit=_fit_support_vector_machine,
        library="scikit-learn",
    ),
)
