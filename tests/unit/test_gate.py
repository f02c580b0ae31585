"""The paired rule: which challengers are promoted, and which are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gate_rows import GOOD, RULE, classes, numbers, scores, with_metric

from shared.domain.gate import GateRule, MetricRule, Mode, Outcome, judge
from shared.domain.measuring.measures import MEASURES
from shared.domain.task import Task


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
    assert [check.passed for check in verdict.checks[:4]] == [True, True, False, False]
    assert "failed: gain in AUC ≥ 0: found −0." in verdict.reason
    assert "95 % lower bound of the gain in AUC > −0.01: found −0." in verdict.reason
    assert "-" not in verdict.reason  # one sign for all


def test_a_gain_too_uncertain_for_the_margin_is_rejected() -> None:
    rows = scores(1.0, 0.9, n_rows=200)

    verdict = judge(GOOD, rows, with_metric(margin=0.001))

    assert verdict.gain is not None
    assert verdict.lower is not None
    assert verdict.gain > 0
    assert verdict.lower < -0.001
    assert verdict.outcome is Outcome.REJECT


def test_a_gain_below_the_least_gain_is_rejected_although_the_margin_holds() -> None:
    rows = scores(1.0, 0.7)

    assert judge(GOOD, rows, with_metric(min_gain=0.5)).outcome is Outcome.REJECT


def test_models_that_answer_alike_change_nothing() -> None:
    rows = scores(1.0, 0.5)

    assert judge(GOOD, replace(rows, challenger=rows.champion), RULE).outcome is Outcome.NO_CHANGE


@pytest.mark.parametrize(
    ("metric", "rows"),
    [
        (name, rows)
        for task, rows in ((Task.REGRESSION, numbers), (Task.MULTICLASS, classes), (Task.TWO_CLASS, scores))
        for name in MEASURES[task]
    ],
)
def test_whichever_way_a_metric_points_better_is_promoted_and_worse_rejected(metric: str, rows: Any) -> None:
    rule = GateRule(metrics=(MetricRule(metric, margin=0.001),), replicates=200)

    better, worse = judge({}, rows(2.0, 0.7), rule), judge({}, rows(0.7, 2.0), rule)

    assert better.outcome is Outcome.PROMOTE, better.reason
    assert better.gain is not None
    assert better.gain > 0
    assert worse.outcome is Outcome.REJECT
    assert worse.gain is not None
    assert worse.gain < 0


def test_superiority_wants_the_lower_bound_above_zero() -> None:
    rows = scores(1.0, 0.97)
    tolerant, strict = (
        judge(GOOD, rows, with_metric(margin=0.05)),
        judge(GOOD, rows, with_metric(mode=Mode.SUPERIORITY)),
    )

    assert tolerant.outcome is Outcome.PROMOTE
    assert strict.outcome is Outcome.REJECT
    assert judge(GOOD, scores(1.0, 0.7), with_metric(mode=Mode.SUPERIORITY)).outcome is Outcome.PROMOTE


@pytest.mark.parametrize(("floor", "outcome"), [(0.0, Outcome.PROMOTE), (1000.0, Outcome.REJECT)])
def test_a_relative_gain_is_held_against_the_champion_or_the_floor_whichever_is_greater(
    floor: float, outcome: Outcome
) -> None:
    rule = MetricRule("Mean Absolute Error", margin=0.1, min_relative_gain=0.4, relative_floor=floor)

    assert judge({}, numbers(2.0, 1.0), GateRule(metrics=(rule,), replicates=200)).outcome is outcome


def test_a_relative_gain_over_a_champion_at_zero_without_a_floor_has_no_value_and_fails() -> None:
    rows = numbers(0.0, 1.0)
    rule = MetricRule("Mean Absolute Error", margin=10, min_gain=-10, min_relative_gain=-1e300)

    verdict = judge({}, rows, GateRule(metrics=(rule,), replicates=100))

    assert verdict.outcome is Outcome.REJECT
    assert "relative gain" in verdict.reason


def test_a_gain_that_is_too_good_is_held_not_promoted() -> None:
    verdict = judge(GOOD, scores(1.0, 0.3), with_metric(max_gain=0.05))

    assert verdict.outcome is Outcome.HOLD
    assert "too good to be true" in verdict.reason


def test_every_metric_that_is_asked_for_has_to_hold() -> None:
    rows = scores(1.0, 0.7)
    also = replace(RULE, metrics=(RULE.primary, MetricRule("Accuracy", min_gain=0.9)))

    verdict = judge(GOOD, rows, also)

    assert verdict.outcome is Outcome.REJECT
    assert "gain in Accuracy ≥ 0.9" in verdict.reason
    assert [part.metric for part in verdict.also] == ["Accuracy"]


def test_a_failed_rule_outweighs_one_that_only_holds() -> None:
    assert judge(GOOD, scores(0.7, 1.0, n_rows=99), RULE).outcome is Outcome.REJECT


def test_a_verdict_tells_the_rule_it_was_made_under() -> None:
    rule = judge(GOOD, None, RULE).as_json()["rule"]

    assert rule["metrics"][0]["margin"] == 0.01
    assert rule["metrics"][0]["mode"] == "non-inferiority"
    assert rule["floors"] == {"AUC": 0.8}
