"""Evaluate Model: each figure by hand on small tables, and the recorded relation between the two log losses."""

from __future__ import annotations

from math import inf, isnan, log, nan

import numpy as np
import pytest

from studio.engine.evaluation import Evaluation, metrics_table
from studio.engine.evaluation.two_class import evaluate_two_class
from studio.engine.number_text import number_text


def _evaluate(labels: list[int], probabilities: list[float]) -> dict[str, float]:
    return dict(evaluate_two_class(np.array(labels, bool), np.array(probabilities, float)).metrics)


def test_each_figure_agrees_with_a_count_by_hand() -> None:
    metrics = _evaluate([1, 1, 1, 0, 0], [0.9, 0.6, 0.4, 0.6, 0.1])

    log_loss = -(log(0.9) + log(0.6) + log(0.4) + log(0.4) + log(0.9)) / 5
    entropy = -(0.6 * log(0.6) + 0.4 * log(0.4))
    assert metrics == pytest.approx(
        {
            "Accuracy": 3 / 5,
            "Precision": 2 / 3,
            "Recall": 2 / 3,
            "F-Score": 2 / 3,
            "AUC": (2 + 1.5 + 1) / 6,
            "Average Log Loss": log_loss,
            "Training Log Loss": 100 * (1 - log_loss / entropy),
        }
    )


def test_a_probability_of_one_half_is_positive() -> None:
    assert _evaluate([1, 0], [0.5, 0.49])["Accuracy"] == 1


@pytest.mark.parametrize(
    ("labels", "probabilities", "area"),
    [
        ([0, 1], [0.2, 0.8], 1.0),
        ([0, 1], [0.8, 0.2], 0.0),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5], 0.5),
        ([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9], 0.875),
    ],
)
def test_ties_count_half_in_the_area(labels: list[int], probabilities: list[float], area: float) -> None:
    assert _evaluate(labels, probabilities)["AUC"] == area


def test_the_area_agrees_with_counting_pairs() -> None:
    random = np.random.default_rng(1)
    labels, scores = random.random(300) < 0.3, random.integers(0, 40, 300) / 40
    pairs = scores[labels][:, None] - scores[~labels][None, :]

    area = evaluate_two_class(labels, scores).metrics["AUC"]

    assert area == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_no_rows_give_the_classic_figures() -> None:
    metrics = _evaluate([], [])

    assert isnan(metrics.pop("AUC"))
    assert metrics.pop("Precision") == 1
    assert set(metrics.values()) == {0}


def test_labels_of_one_kind_have_no_area_and_no_explained_loss() -> None:
    metrics = _evaluate([0, 0], [0.1, 0.2])

    assert isnan(metrics["AUC"])
    assert isnan(metrics["Training Log Loss"])
    assert (metrics["Accuracy"], metrics["Precision"], metrics["Recall"]) == (1, 1, 0)


def test_a_certain_and_wrong_answer_costs_an_infinite_log_loss() -> None:
    metrics = _evaluate([1, 0], [0.0, 0.0])

    assert metrics["Average Log Loss"] == inf
    assert metrics["Training Log Loss"] == -inf


def test_the_table_is_a_header_and_a_row_of_plain_numbers() -> None:
    table = metrics_table(Evaluation({"A": 0.1234567890123456789, "B C": nan, "D": inf})).csv

    assert table == b"A,B C,D\n0.123456789012346,NaN,Infinity\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0912634519229332, "0.0912634519229332"),
        (1.23406681461624e-06, "1.23406681461624E-06"),
        (1.66834112858664e-12, "1.66834112858664E-12"),
        (761.748085547315, "761.748085547315"),
        (0.999999999998332, "0.999999999998332"),
        (1 / 3, "0.333333333333333"),
        (0.0001, "0.0001"),
        (0.00001, "1E-05"),
        (1e15, "1E+15"),
        (39.0, "39"),
        (-0.0, "0"),
        (inf, "Infinity"),
        (-inf, "-Infinity"),
        (nan, "NaN"),
    ],
)
def test_numbers_are_written_as_recorded(value: float, text: str) -> None:
    assert number_text(value) == text
