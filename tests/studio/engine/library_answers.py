"""
What the libraries themselves answer, used bare and prepared a second time, independently of the engine.

One function per learner: training features and labels, and held-out features in; `n_rows × n_answers` out. A feature
row holds width, weight and the position of the colour, NaN where one is missing.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import lightgbm
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, SGDClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

Answer = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_NUMBERS, _COLOUR = [0, 1], [2]
_EXACT = {"num_threads": 1, "verbosity": -1, "deterministic": True, "force_col_wise": True, "seed": 0}
_BOOSTED = {**_EXACT, "num_leaves": 20, "min_data_in_leaf": 10, "learning_rate": 0.2}
_FOREST = {
    **_EXACT, "objective": "regression", "boosting": "rf", "bagging_fraction": 1 - 1 / np.e, "bagging_freq": 1,
    "max_depth": 32, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0, "min_data_per_group": 1, "min_data_in_bin": 1,
    "max_bin": 128,
}  # fmt: skip
_QUANTILE = {
    **_EXACT, "objective": "quantile", "boosting": "rf", "bagging_fraction": 0.7, "bagging_freq": 1, "num_leaves": 20,
    "feature_fraction": 0.7, "feature_fraction_bynode": 0.7, "min_data_in_leaf": 10, "min_sum_hessian_in_leaf": 0,
}  # fmt: skip


def _grown(settings: dict[str, Any], rounds: int) -> Answer:
    def answer(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        return _booster(settings, rounds, features, labels).predict(held_out, num_threads=1).reshape(len(held_out), -1)

    return answer


def _booster(settings: dict[str, Any], rounds: int, features: np.ndarray, labels: np.ndarray) -> lightgbm.Booster:
    data = lightgbm.Dataset(features, labels.astype(np.float32), categorical_feature=_COLOUR)
    return lightgbm.train(settings, data, num_boost_round=rounds)


def _forest(features: np.ndarray, share: float) -> dict[str, Any]:
    return {**_FOREST, "feature_fraction_bynode": share, "num_leaves": len(features)}


def _two_class_forest(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Mean, over the trees, of the leaf's share, which the library may put beyond its bounds by a hair."""
    booster = _booster(_forest(features, 1 / 3**0.5), 8, features, labels)
    leaves = booster.predict(held_out, pred_leaf=True, num_threads=1)
    shares = [[booster.get_leaf_output(tree, leaf) for tree, leaf in enumerate(row)] for row in leaves]
    return np.clip(shares, 0, 1).mean(axis=1, keepdims=True)


def _multiclass_forest(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    shares = np.hstack([_two_class_forest(features, labels == one, held_out) for one in range(3)])
    return shares / shares.sum(axis=1, keepdims=True)


def _regression_forest(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Mean, and standard deviation of the mixture of the leaves that a row falls into."""
    booster = _booster(_forest(features, 1.0), 8, features, labels)
    inside, asked = (booster.predict(rows, pred_leaf=True, num_threads=1) for rows in (features, held_out))
    second_moments = np.zeros(len(held_out))
    for tree in range(8):
        for at, leaf in enumerate(asked[:, tree]):
            mean = booster.get_leaf_output(tree, leaf)
            second_moments[at] += (mean**2 + ((labels[inside[:, tree] == leaf] - mean) ** 2).mean()) / 8
    mean = booster.predict(held_out, num_threads=1)
    return np.column_stack([mean, np.sqrt(np.maximum(second_moments - mean**2, 0))])


def _quantile_forest(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    each = [_grown({**_QUANTILE, "alpha": alpha}, 15)(features, labels, held_out) for alpha in (0.25, 0.5, 0.75)]
    quantiles = np.sort(np.hstack(each), axis=1)
    return np.column_stack([quantiles[:, 1], quantiles])


def _inputs(scaler: Any, sparse: float = 1) -> Any:
    numbers = make_pipeline(scaler, SimpleImputer())
    colours = OneHotEncoder(categories=[[0.0, 1.0, 2.0]], handle_unknown="ignore")
    return make_column_transformer((numbers, _NUMBERS), (colours, _COLOUR), sparse_threshold=sparse)


def _fitted(scaler: Any, learner: Any, method: str, sparse: float = 1) -> Answer:
    def answer(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        inputs = _inputs(scaler, sparse)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted = learner.fit(inputs.fit_transform(features), labels)
        return np.reshape(getattr(fitted, method)(inputs.transform(held_out)), (len(held_out), -1))

    return answer


def _second(answer: Answer) -> Answer:
    return lambda features, labels, held_out: answer(features, labels, held_out)[:, 1:]


def _calibrated(learner: Any) -> Answer:
    def answer(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        inputs = _inputs(StandardScaler())
        prepared = inputs.fit_transform(features)
        learner.fit(prepared, labels)
        sigmoid = CalibratedClassifierCV(FrozenEstimator(learner), method="sigmoid").fit(prepared, labels)
        return sigmoid.predict_proba(inputs.transform(held_out))[:, 1:]

    return answer


def _network(kind: Any, nodes: tuple[int, ...], rate: float) -> Any:
    return kind(
        hidden_layer_sizes=nodes, activation="logistic", solver="sgd", alpha=0, learning_rate_init=rate, max_iter=10,
        momentum=0, nesterovs_momentum=False, tol=0, n_iter_no_change=10, random_state=0, batch_size=4,
    )  # fmt: skip


_PERCEPTRON = SGDClassifier(
    loss="perceptron", penalty=None, learning_rate="constant", eta0=1.0, average=True, max_iter=10, tol=None,
    random_state=0,
)  # fmt: skip
_MACHINE = SGDClassifier(loss="hinge", alpha=0.001, max_iter=5, tol=None, random_state=0)

EXACT: dict[str, Answer] = {
    "Two-Class Boosted Decision Tree": _grown({**_BOOSTED, "objective": "binary"}, 12),
    "Multiclass Boosted Decision Tree": _grown({**_BOOSTED, "objective": "multiclass", "num_class": 3}, 12),
    "Boosted Decision Tree Regression": _grown({**_BOOSTED, "objective": "regression"}, 12),
    "Two-Class Decision Forest": _two_class_forest,
    "Multiclass Decision Forest": _multiclass_forest,
    "Decision Forest Regression": _regression_forest,
    "Fast Forest Quantile Regression": _quantile_forest,
    "Two-Class Averaged Perceptron": _calibrated(_PERCEPTRON),
    "Two-Class Support Vector Machine": _calibrated(_MACHINE),
    "Linear Regression": _fitted(StandardScaler(), Ridge(0.001, solver="sparse_cg", tol=1e-12), "predict"),
    "Two-Class Neural Network": _second(
        _fitted(MinMaxScaler(), _network(MLPClassifier, (6, 4), 0.5), "predict_proba", sparse=0)
    ),
    "Multiclass Neural Network": _fitted(MinMaxScaler(), _network(MLPClassifier, (6,), 0.5), "predict_proba", sparse=0),
    "Neural Network Regression": _fitted(
        MinMaxScaler(),
        TransformedTargetRegressor(_network(MLPRegressor, (6,), 0.05), transformer=StandardScaler()),
        "predict",
        sparse=0,
    ),
}  # fmt: skip

_TIGHT = {"tol": 1e-12, "max_iter": 100_000}
# The minimum is one and the same, but each solver stops somewhere near it.
NEAR: dict[str, Answer] = {
    "Two-Class Logistic Regression": _second(
        _fitted(
            StandardScaler(),
            LogisticRegression(C=0.5, l1_ratio=0.5, solver="saga", random_state=0, **_TIGHT),
            "predict_proba",
        )
    ),
    "Multiclass Logistic Regression": _fitted(
        StandardScaler(),
        LogisticRegression(C=0.5, l1_ratio=0.5, solver="saga", random_state=0, **_TIGHT),
        "predict_proba",
    ),
}


def poisson_without_l1(features: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Poisson regression with an L2 weight of 1; the library counts it per row, and knows no L1."""
    learner = PoissonRegressor(alpha=1 / len(labels), solver="newton-cholesky", tol=1e-12)
    return _fitted(StandardScaler(), learner, "predict")(features, labels, held_out)


__all__ = ["EXACT", "NEAR", "Answer", "poisson_without_l1"]
