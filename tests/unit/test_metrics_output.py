"""What a training service writes as output2, and what the catalogue says of each metric."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.gate import GateRule
from shared.domain.gate.absolute import absolute_checks
from shared.domain.measuring.measures import MEASURES
from shared.domain.measuring.metrics import METRICS, metrics_of, parse_metrics
from shared.domain.task import Task
from shared.errors import MetricsError

INFINITY = float("inf")


def test_metrics_are_read_by_name_with_infinity_and_nan() -> None:
    text = "\ufeffAccuracy,AUC,Negative Log Likelihood\r\n0.9,NaN,Infinity\r\n0.1,0.1,1\r\n"

    metrics = parse_metrics(text.encode())

    assert metrics["Accuracy"] == 0.9
    assert np.isnan(metrics["AUC"])
    assert metrics["Negative Log Likelihood"] == INFINITY


@pytest.mark.parametrize(
    "text", ["", "A,A\n1,2\n", "Accuracy,AUC\n", "Accuracy,AUC\n0.9\n", "Accuracy\nhigh\n", "<html>\n<html>\n"]
)
def test_metrics_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(MetricsError):
        parse_metrics(text.encode())


def test_the_first_of_two_compared_models_counts_and_its_name_is_left_out() -> None:
    metrics = parse_metrics(b"Model,Mean Absolute Error\nDecision Forest Regression,12.5\nPoisson Regression,40\n")

    assert metrics == {"Mean Absolute Error": 12.5}


HEADERS = {
    Task.TWO_CLASS: "Accuracy,Precision,Recall,F-Score,AUC,Average Log Loss,Training Log Loss",
    Task.REGRESSION: (
        "Negative Log Likelihood,Mean Absolute Error,Root Mean Squared Error,Relative Absolute Error,"
        "Relative Squared Error,Coefficient of Determination"
    ),
    Task.MULTICLASS: (
        "Overall accuracy,Average accuracy,Micro-averaged precision,Macro-averaged precision,Micro-averaged recall,"
        "Macro-averaged recall"
    ),
}


@pytest.mark.parametrize("task", Task)
def test_every_column_of_output2_is_known_and_can_be_measured_unless_it_needs_a_spread(task: Task) -> None:
    assert metrics_of(task) == HEADERS[task].split(",")
    assert set(metrics_of(task)) - MEASURES[task].keys() <= {"Negative Log Likelihood"}


def test_a_recorded_regression_output_is_read() -> None:
    recorded = (
        HEADERS[Task.REGRESSION]
        + "\nInfinity,0.0912634519229332,0.107777663489987,1.23406681461624E-06,1.66834112858664E-12,0.9\n"
    )

    metrics = parse_metrics(recorded.encode())

    assert metrics["Negative Log Likelihood"] == INFINITY
    assert metrics["Relative Squared Error"] == pytest.approx(1.66834112858664e-12)


@pytest.mark.parametrize(
    ("name", "value", "possible"),
    [
        ("AUC", 1.0, True),
        ("AUC", 1.7, False),
        ("AUC", -0.1, False),
        ("Coefficient of Determination", -3.0, True),
        ("Coefficient of Determination", 1.1, False),
        ("Training Log Loss", -20.0, True),
        ("Negative Log Likelihood", -5.0, True),
        ("Mean Absolute Error", 0.0, True),
        ("Mean Absolute Error", -1e-9, False),
        ("Mean Absolute Error", INFINITY, False),
    ],
)
def test_a_value_beyond_a_metrics_range_is_impossible(name: str, value: float, possible: bool) -> None:
    assert METRICS[name].is_possible(value) is possible


FOLDS = (
    b"Fold Number,Number of examples in fold,Model,AUC\n"
    b"0,50,Two-Class Boosted Decision Tree,0.95\n1,50,Two-Class Boosted Decision Tree,0.69\n"
)


def test_of_a_cross_validation_the_mean_of_the_folds_counts() -> None:
    metrics = parse_metrics(FOLDS + b"Mean,100,Two-Class Boosted Decision Tree,0.82\nStandard Deviation,100,,0.13\n")

    assert metrics["AUC"] == 0.82


def test_the_spread_of_the_folds_bears_on_what_a_bound_is_held_against() -> None:
    folds = b"Fold Number,Number of examples in fold,Model,AUC,Average Log Loss\n"
    folds += b"".join(b"%d,10,M,0.8,0.4\n" % at for at in range(9))
    metrics = parse_metrics(folds + b"Mean,90,M,0.82,0.4\nStandard Deviation,90,M,0.06,0.03\n")

    assert metrics["AUC Standard Error"] == pytest.approx(0.02)
    rule = GateRule(floors={"AUC": 0.8}, ceilings={"Average Log Loss": 0.42})
    floor, ceiling = absolute_checks(metrics, rule)

    assert (floor.value, floor.passed) == (pytest.approx(0.82 - 1.645 * 0.02), False)
    assert floor.rule == "AUC of output2, less 1.645 standard errors of its folds, ≥ 0.8"
    assert (ceiling.value, ceiling.passed) == (pytest.approx(0.4 + 1.645 * 0.01), True)
    assert ceiling.rule == "Average Log Loss of output2, plus 1.645 standard errors of its folds, ≤ 0.42"
    assert [check.passed for check in absolute_checks({"AUC": 0.8, "Average Log Loss": 0.42}, rule)] == [True, True]


def test_without_a_deviation_that_is_a_number_the_mean_stands_alone() -> None:
    folds = FOLDS + b"Mean,100,Two-Class Boosted Decision Tree,0.82\nStandard Deviation,100,,NaN\n"

    assert parse_metrics(folds).keys() == parse_metrics(folds.partition(b"Standard")[0]).keys()


def test_folds_without_a_mean_are_an_error() -> None:
    with pytest.raises(MetricsError, match=r"a row for each fold .* none for their mean"):
        parse_metrics(FOLDS)
