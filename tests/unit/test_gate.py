"""The gate, around each of its thresholds, and everything that must never promote."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from shared.domain import golden
from shared.domain.gate import GateRule, Outcome, judge
from shared.domain.metrics import parse_metrics
from shared.domain.paired import PairedScores, auc, compare
from shared.errors import MetricsError

RULE = GateRule(metric="AUC", margin=0.01, floors={"AUC": 0.8, "Average Log Loss": 0.5}, replicates=200)
GOOD = {"AUC": 0.9, "Average Log Loss": 0.3}
NAN, INFINITY = float("nan"), float("inf")


def scores(champion_noise: float, challenger_noise: float, n_rows: int = 4000) -> PairedScores:
    random = np.random.default_rng(7)
    labels = random.random(n_rows) < 0.25
    return PairedScores(
        labels,
        labels + champion_noise * random.standard_normal(n_rows),
        labels + challenger_noise * random.standard_normal(n_rows),
    )


@pytest.mark.parametrize(
    ("metric", "value", "meets"),
    [
        ("AUC", 0.8, True),
        ("AUC", 0.7999999, False),
        ("AUC", NAN, False),
        ("AUC", INFINITY, False),
        ("AUC", None, False),
        ("Average Log Loss", 0.5, True),
        ("Average Log Loss", 0.5000001, False),
        ("Average Log Loss", -INFINITY, False),
    ],
)
def test_a_floor_is_inclusive_and_missing_or_endless_values_fail_it(
    metric: str, value: float | None, meets: bool
) -> None:
    metrics = {name: number for name, number in (GOOD | {metric: value}).items() if number is not None}

    for rows in (None, scores(1.0, 0.7)):
        verdict = judge(metrics, rows, RULE)

        assert verdict.outcome is (Outcome.PROMOTE if meets else Outcome.REJECT)
        assert meets or metric in verdict.reason


def test_a_missed_floor_rejects_models_that_answer_alike_too() -> None:
    rows = scores(1.0, 0.5)

    verdict = judge({"AUC": 0.1}, replace(rows, challenger=rows.champion), RULE)

    assert verdict.outcome is Outcome.REJECT


def test_a_clearly_better_challenger_is_promoted_with_its_interval() -> None:
    verdict = judge(GOOD, scores(1.0, 0.7), RULE)

    assert verdict.outcome is Outcome.PROMOTE
    assert verdict.paired
    assert verdict.gain is not None
    assert verdict.lower is not None
    assert verdict.upper is not None
    assert 0 < verdict.lower < verdict.gain < verdict.upper
    assert verdict.n_rows == 4000


def test_a_clearly_worse_challenger_is_rejected_by_both_rules() -> None:
    verdict = judge(GOOD, scores(0.7, 1.0), RULE)

    assert verdict.outcome is Outcome.REJECT
    assert [check.passed for check in verdict.checks] == [True, True, False, False]
    assert "failed: gain in AUC" in verdict.reason


def test_a_gain_too_uncertain_for_the_margin_is_rejected() -> None:
    rows = scores(1.0, 0.9, n_rows=200)

    verdict = judge(GOOD, rows, replace(RULE, margin=0.001))

    assert verdict.gain is not None
    assert verdict.lower is not None
    assert verdict.gain > 0
    assert verdict.lower < -0.001
    assert verdict.outcome is Outcome.REJECT


def test_a_gain_below_the_least_gain_is_rejected_although_the_margin_holds() -> None:
    rows = scores(1.0, 0.7)

    assert judge(GOOD, rows, replace(RULE, min_gain=0.5)).outcome is Outcome.REJECT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: replace(s, challenger=s.challenger[:-1]), "were scored"),
        (lambda s: replace(s, challenger=np.full_like(s.challenger, NAN)), "finite"),
        (lambda s: replace(s, champion=np.full_like(s.champion, INFINITY)), "finite"),
        (lambda s: replace(s, labels=np.ones_like(s.labels)), "one class"),
        (lambda s: replace(s, labels=np.zeros_like(s.labels)), "one class"),
        (lambda s: PairedScores(s.labels[:0], s.champion[:0], s.challenger[:0]), "no rows"),
    ],
)
def test_evidence_that_does_not_fit_is_an_error_never_a_promotion(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    verdict = judge(GOOD, change(scores(1.0, 0.5)), RULE)

    assert verdict.outcome is Outcome.ERROR
    assert reason in verdict.reason


def test_models_that_answer_alike_change_nothing() -> None:
    rows = scores(1.0, 0.5)

    assert judge(GOOD, replace(rows, challenger=rows.champion), RULE).outcome is Outcome.NO_CHANGE


def test_a_verdict_without_a_holdout_says_that_it_is_unpaired() -> None:
    verdict = judge(GOOD, None, RULE)

    assert verdict.outcome is Outcome.PROMOTE
    assert not verdict.paired
    assert verdict.reason.startswith("UNPAIRED")


def test_a_verdict_is_json_even_when_a_metric_is_not_a_number() -> None:
    verdict = judge(GOOD | {"AUC": NAN}, None, RULE)

    assert json.loads(json.dumps(verdict.as_json(), allow_nan=False))["outcome"] == "REJECT"


def test_auc_counts_ties_as_half() -> None:
    labels = np.array([True, True, False, False])

    value = auc(labels, np.array([0.9, 0.5, 0.5, 0.1]))(np.arange(4))

    assert value == 3.5 / 4


def test_auc_agrees_with_the_definition_on_random_scores() -> None:
    random = np.random.default_rng(3)
    labels, given = random.random(300) < 0.4, np.round(random.random(300), 2)
    positive, negative = given[labels][:, None], given[~labels][None, :]

    by_pairs = np.mean((positive > negative) + 0.5 * (positive == negative))

    assert auc(labels, given)(np.arange(300)) == pytest.approx(by_pairs, abs=1e-12)


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says() -> None:
    """Ninety one-sided 5 % bounds over equal models: the lower bound exceeds zero in about one of twenty."""
    above = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        labels = random.random(300) < 0.3
        rows = PairedScores(labels, labels + random.standard_normal(300), labels + random.standard_normal(300))
        above += compare("AUC", rows, confidence=0.95, replicates=200, seed=seed).lower > 0
    assert 2 <= above <= 22


def test_the_same_seed_gives_the_same_interval() -> None:
    rows = scores(1.0, 0.9)

    once, again = (compare("Accuracy", rows, confidence=0.95, replicates=100, seed=5) for _ in range(2))

    assert once == again


def test_golden_rows_are_those_where_the_models_disagree_most() -> None:
    champion, challenger = np.array([0.1, 0.5, 0.9, 0.3]), np.array([0.1, 0.9, 0.8, 0.3])

    assert golden.choose(champion, challenger) == [1, 2]


@pytest.mark.parametrize(
    ("expected", "answers", "agrees"),
    [([0.5], [0.5 + 1e-7], True), ([0.5], [0.5001], False), ([], [], False), ([0.5], [], False), ([0.5], [NAN], False)],
)
def test_golden_rows_agree_only_on_the_same_answers(expected: list[float], answers: list[float], agrees: bool) -> None:
    assert golden.agree(expected, answers) is agrees


def test_metrics_are_read_by_name_with_infinity_and_nan() -> None:
    text = "\ufeffAccuracy,AUC,Negative Log Likelihood\r\n0.9,NaN,Infinity\r\n0.1,0.1,1\r\n"

    metrics = parse_metrics(text.encode())

    assert metrics["Accuracy"] == 0.9
    assert np.isnan(metrics["AUC"])
    assert metrics["Negative Log Likelihood"] == INFINITY


@pytest.mark.parametrize("text", ["", "Accuracy,AUC\n", "Accuracy,AUC\n0.9\n", "Accuracy\nhigh\n", "<html>\n<html>\n"])
def test_metrics_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(MetricsError):
        parse_metrics(text.encode())
