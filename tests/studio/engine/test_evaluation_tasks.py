"""Evaluate Model for several classes, values and quantiles: figures by hand, and what was published of Studio's."""

from __future__ import annotations

from math import inf, isnan, log, pi

import numpy as np
import pytest

from studio.engine.evaluation import Evaluation, metrics_table
from studio.engine.evaluation.multiclass import evaluate_multiclass
from studio.engine.evaluation.quantiles import evaluate_quantiles
from studio.engine.evaluation.regression import evaluate_moments, evaluate_regression

_FEW = np.array([1.0, 2.0, 6.0])


def _answers(predicted: list[int], n_classes: int) -> np.ndarray:
    return np.eye(n_classes)[predicted]


def test_each_figure_of_several_classes_agrees_with_a_count_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2])

    metrics = evaluate_multiclass(labels, _answers([0, 0, 1, 1, 2, 2], 3)).metrics

    assert metrics == pytest.approx(
        {
            "Overall accuracy": 4 / 6,
            "Average accuracy": (5 / 6 + 4 / 6 + 5 / 6) / 3,
            "Micro-averaged precision": 4 / 6,
            "Macro-averaged precision": (2 / 2 + 1 / 2 + 1 / 2) / 3,
            "Micro-averaged recall": 4 / 6,
            "Macro-averaged recall": (2 / 3 + 1 / 2 + 1 / 1) / 3,
        }
    )


@pytest.mark.parametrize(
    ("n_classes", "overall", "average"),
    [(3, 0.811497, 0.874332), (5, 0.944354, 0.977742)],
    ids=["module reference", "sample experiment"],
)
def test_average_accuracy_relates_to_the_overall_one_as_published(
    n_classes: int, overall: float, average: float
) -> None:
    n_rows = 1_000_000
    predicted = np.zeros(n_rows, int)
    predicted[round(overall * n_rows) :] = 1

    metrics = evaluate_multiclass(np.zeros(n_rows, int), _answers(predicted, n_classes)).metrics

    assert metrics["Overall accuracy"] == pytest.approx(overall)
    assert metrics["Average accuracy"] == pytest.approx(average, abs=1e-6)


def test_a_class_that_is_never_predicted_or_never_occurs_counts_as_zero() -> None:
    metrics = evaluate_multiclass(np.array([0, 0]), _answers([0, 0], 2)).metrics

    assert metrics["Overall accuracy"] == 1
    assert (metrics["Macro-averaged precision"], metrics["Macro-averaged recall"]) == (0.5, 0.5)


def test_of_equally_likely_classes_the_first_is_predicted() -> None:
    assert evaluate_multiclass(np.array([0]), np.array([[0.4, 0.4, 0.2]])).metrics["Overall accuracy"] == 1


def test_each_figure_of_values_agrees_with_a_count_by_hand() -> None:
    metrics = evaluate_regression(_FEW, np.array([2.0, 2.0, 4.0])).metrics

    assert list(metrics) == [
        "Negative Log Likelihood",
        "Mean Absolute Error",
        "Root Mean Squared Error",
        "Relative Absolute Error",
        "Relative Squared Error",
        "Coefficient of Determination",
    ]
    assert list(metrics.values()) == pytest.approx([inf, 3 / 3, (5 / 3) ** 0.5, 3 / 6, 5 / 14, 9 / 14])


def test_labels_that_are_all_alike_have_no_relative_error() -> None:
    metrics = evaluate_regression(np.ones(3), np.zeros(3)).metrics

    assert metrics["Mean Absolute Error"] == 1
    assert isnan(metrics["Relative Squared Error"])


def test_a_spread_gives_the_likelihood_of_a_normal_distribution() -> None:
    origin, mean, variance = 100.0, np.array([1.0, 3.0, 5.0]), np.array([1.0, 4.0, 0.25])
    answers = np.column_stack([mean, variance + (mean - origin) ** 2, np.full(3, origin)])

    metrics = evaluate_moments(_FEW, answers).metrics

    expected = sum((log(2 * pi * v) + (y - m) ** 2 / v) / 2 for y, m, v in zip(_FEW, mean, variance, strict=True))
    assert metrics["Negative Log Likelihood"] == pytest.approx(expected)
    assert metrics["Mean Absolute Error"] == pytest.approx(2 / 3)


def test_no_spread_gives_no_likelihood() -> None:
    answers = np.column_stack([_FEW, _FEW**2, np.zeros(3)])

    assert evaluate_moments(_FEW, answers).metrics["Negative Log Likelihood"] == inf


def test_the_loss_of_a_quantile_weighs_both_sides_by_it() -> None:
    answers = np.array([[0.0, 2.0], [1.0, 2.0], [2.0, 10.0]])

    metrics = evaluate_quantiles(_FEW, answers, (0.25, 0.9)).metrics

    low, high = (0.25 * 1 + 0.25 * 1 + 0.25 * 4) / 3, (0.1 * 1 + 0 + 0.1 * 4) / 3
    assert metrics == pytest.approx(
        {"Average Quantile Loss": (low + high) / 2, "Quantile Loss:0.250": low, "Quantile Loss:0.900": high}
    )


def test_two_scored_data_sets_are_two_rows() -> None:
    table = metrics_table(Evaluation({"A": 1.0, "B": 0.5}), Evaluation({"A": 0.0, "B": inf})).csv

    assert table == b"A,B\n1,0.5\n0,Infinity\n"
