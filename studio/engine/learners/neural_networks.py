"""Neural networks of fully connected layers with logistic nodes, fitted by scikit-learn's gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from studio.engine.learners.kind import COMMON_RULES, LEAST, SEED, LearnerKind, Model, Parameters, TrainingRows
from studio.engine.link import Link
from studio.engine.scored_columns import Answers
from studio.engine.settings import AnyRule, Choice, NumberList, Rule
from studio.engine.task import Task

if TYPE_CHECKING:
    from studio.engine.encoding import Encoding

_HIDDEN = "Hidden layer specification"
_NODES = "Number of hidden nodes"
_RATE = "Learning rate"
_MULTICLASS_RATE = "The learning rate"  # what Studio calls it in the learner for several classes
_ITERATIONS = "Number of learning iterations"
_DIAMETER = "The initial learning weights diameter"
_MOMENTUM = "The momentum"
_NORMALIZER = "The type of normalizer"
_SHUFFLE = "Shuffle examples"

_STEPS = 100  # at least, per iteration, where there are as many rows
_MOST_ROWS_PER_STEP = 64
_MOST_DENSE_CELLS = 32_000_000  # a quarter of a gigabyte; quicker than the sparse form as long as it is small


def _fit_two_class(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

    encoding = _encoding(rows, parameters)
    learner = _fitted(
        MLPClassifier(**_settings(rows, parameters, _RATE)), encoding.matrix(rows.features.matrix), rows.labels
    )
    return encoding.network(list(zip(learner.coefs_, learner.intercepts_, strict=True)), Link.LOGISTIC)


def _fit_multiclass(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.neural_network import MLPClassifier

    from studio.engine.encoding import two_answers

    encoding = _encoding(rows, parameters)
    settings = _settings(rows, parameters, _MULTICLASS_RATE)
    learner = _fitted(MLPClassifier(**settings), encoding.matrix(rows.features.matrix), rows.labels)
    *hidden, last = zip(learner.coefs_, learner.intercepts_, strict=True)
    return encoding.network([*hidden, two_answers(last) if rows.n_classes == 2 else last], Link.SOFTMAX)


def _fit_regression(rows: TrainingRows, parameters: Parameters) -> Model:
    from sklearn.neural_network import MLPRegressor

    from studio.engine.encoding import scaled_labels, unscaled

    encoding = _encoding(rows, parameters)
    labels, scale = scaled_labels(rows.labels)
    learner = _fitted(MLPRegressor(**_settings(rows, parameters, _RATE)), encoding.matrix(rows.features.matrix), labels)
    *hidden, last = zip(learner.coefs_, learner.intercepts_, strict=True)
    return encoding.network([*hidden, unscaled(last, scale)], Link.IDENTITY)


def _encoding(rows: TrainingRows, parameters: Parameters) -> Encoding:
    from studio.engine.encoding import Encoding, Normalizer

    return Encoding.fitted(rows.features.matrix, rows.n_levels, Normalizer(parameters[_NORMALIZER]))


def _settings(rows: TrainingRows, parameters: Parameters, rate: str) -> dict[str, Any]:
    """Translate to scikit-learn's names; every iteration asked for is run."""
    iterations = int(parameters[_ITERATIONS])
    return {
        "hidden_layer_sizes": tuple(int(size) for size in str(parameters[_NODES]).split(";")),
        "activation": "logistic",
        "solver": "sgd",
        "alpha": 0.0,
        "batch_size": min(_MOST_ROWS_PER_STEP, max(1, len(rows.labels) // _STEPS)),
        "learning_rate_init": parameters[rate],
        "max_iter": iterations,
        "momentum": parameters[_MOMENTUM],
        "nesterovs_momentum": False,
        "shuffle": parameters[_SHUFFLE],
        "tol": 0.0,
        "n_iter_no_change": iterations,
        "random_state": parameters[SEED],
    }


def _fitted(learner: Any, inputs: Any, labels: Any) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    given = inputs.toarray() if inputs.shape[0] * inputs.shape[1] <= _MOST_DENSE_CELLS else inputs
    # One thread: how many share a product of matrices would show in its last digits.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # as many iterations as were asked for are no accident
        return learner.fit(given, labels)


def _rules(rate: str, default: float) -> Mapping[str, AnyRule]:
    return {
        _HIDDEN: Choice(("Fully-connected case",)),
        _NODES: NumberList(Rule(int, 100, 1, 10_000), "100", 8),
        rate: Rule(float, default, LEAST, 1),
        _ITERATIONS: Rule(int, 100, 1, 100_000),
        _DIAMETER: Rule(float, 0.1, LEAST, 1e6),
        _MOMENTUM: Rule(float, 0.0, 0, 1),
        _NORMALIZER: Choice(("Min-Max normalizer", "Gaussian normalizer", "Do not normalize")),
        _SHUFFLE: Rule(bool, True),
        **COMMON_RULES,
    }


_INERT = frozenset({_DIAMETER})  # the library draws the first weights by the number of nodes (Glorot)

KINDS = (
    LearnerKind(
        name="Two-Class Neural Network",
        task=Task.TWO_CLASS,
        answers=Answers.PROBABILITY,
        rules=_rules(_RATE, 0.1),
        fit=_fit_two_class,
        library="scikit-learn",
        inert=_INERT,
    ),
    LearnerKind(
        name="Multiclass Neural Network",
        task=Task.MULTICLASS,
        answers=Answers.PROBABILITIES,
        rules=_rules(_MULTICLASS_RATE, 0.1),
        fit=_fit_multiclass,
        library="scikit-learn",
        inert=_INERT,
    ),
    LearnerKind(
        name="Neural Network Regression",
        task=Task.REGRESSION,
        answers=Answers.VALUE,
        rules=_rules(_RATE, 0.005),
        fit=_fit_regression,
        library="scikit-learn",
        inert=_INERT,
    ),
)
