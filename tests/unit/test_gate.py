"""The gate, around each of its thresholds, and everything that must never promote."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.domain.gate import Circumstances, Fault, GateRule, MetricRule, Mode, Outcome, Policy, SliceRule, judge
from shared.domain.measuring.measures import MEASURES
from shared.domain.measuring.paired import PairedScores
from shared.domain.task import Task

RULE = GateRule(floors={"AUC": 0.8}, ceilings={"Average Log Loss": 0.5}, replicates=200)
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


def with_metric(**changes: Any) -> GateRule:
    return replace(RULE, metrics=(replace(RULE.primary, **changes),))


def one_positive(rows: PairedScores) -> PairedScores:
    labels = np.zeros_like(rows.labels)
    labels[0] = True
    return replace(rows, labels=labels)


@pytest.mark.parametrize(
    ("metric", "value", "meets"),
    [
        ("AUC", 0.8, True),
        ("AUC", 0.7999999, False),
        ("AUC", NAN, False),
        ("AUC", INFINITY, False),
        ("AUC", None, False),
        ("AUC", 1.0, True),
        ("AUC", 1.01, False),
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


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: replace(s, challenger=s.challenger[:-1]), Fault.ROWS_DO_NOT_MATCH),
        (lambda s: replace(s, challenger=np.full_like(s.challenger, NAN)), Fault.CHALLENGER_UNSCORABLE),
        (lambda s: replace(s, champion=np.full_like(s.champion, INFINITY)), Fault.CHAMPION_UNSCORABLE),
        (lambda s: replace(s, anchor=np.where(np.arange(4000) == 3, NAN, s.champion)), Fault.ANCHOR_UNSCORABLE),
        (lambda s: replace(s, anchor=s.champion[:-1]), Fault.ROWS_DO_NOT_MATCH),
        (lambda s: replace(s, labels=np.ones_like(s.labels)), Fault.HOLDOUT_ONE_CLASS),
        (lambda s: replace(s, labels=np.zeros_like(s.labels)), Fault.HOLDOUT_ONE_CLASS),
        (lambda s: PairedScores(s.labels[:0], s.champion[:0], s.challenger[:0]), Fault.HOLDOUT_EMPTY),
        (lambda s: one_positive(s), Fault.INTERVAL_UNDEFINED),
    ],
)
def test_evidence_that_does_not_fit_is_an_error_never_a_promotion(change: Any, fault: Fault) -> None:
    verdict = judge(GOOD, change(scores(1.0, 0.5)), RULE)

    assert verdict.outcome is Outcome.ERROR
    assert verdict.fault is fault
    assert verdict.reason.startswith(fault.value)


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


def numbers(champion_noise: float, challenger_noise: float, n_rows: int = 2000) -> PairedScores:
    random = np.random.default_rng(7)
    truth = random.normal(100, 10, n_rows)
    answers = [truth + noise * random.standard_normal(n_rows) for noise in (champion_noise, challenger_noise)]
    return PairedScores(truth, answers[0], answers[1], Task.REGRESSION)


def classes(champion_noise: float, challenger_noise: float, n_rows: int = 2000) -> PairedScores:
    random = np.random.default_rng(7)
    truth = random.integers(0, 3, n_rows)
    raw = [np.eye(3)[truth] + noise * random.random((n_rows, 3)) for noise in (champion_noise, challenger_noise)]
    shares = [share / share.sum(axis=1, keepdims=True) for share in raw]
    return PairedScores(truth, shares[0], shares[1], Task.MULTICLASS)


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


def test_labels_that_are_no_numbers_or_all_the_same_are_an_error() -> None:
    rule = GateRule(metrics=(MetricRule("Mean Absolute Error", margin=1.0),), replicates=100)
    rows = numbers(2.0, 1.0)

    unreadable = judge({}, replace(rows, labels=np.where(np.arange(2000) == 3, NAN, rows.labels)), rule)
    constant = judge({}, replace(rows, labels=np.full(2000, 5.0)), rule)

    assert (unreadable.outcome, unreadable.fault) == (Outcome.ERROR, Fault.LABEL_NOT_FINITE)
    assert (constant.outcome, constant.fault) == (Outcome.ERROR, Fault.HOLDOUT_CONSTANT)


def test_a_metric_without_a_value_on_the_holdout_is_an_error() -> None:
    rows = scores(1.0, 0.7)

    verdict = judge(GOOD, replace(rows, challenger=np.zeros_like(rows.challenger)), with_metric(metric="Precision"))

    assert (verdict.outcome, verdict.fault) == (Outcome.ERROR, Fault.VALUE_UNDEFINED)


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


def test_a_holdout_with_few_rows_is_held() -> None:
    verdict = judge(GOOD, scores(1.0, 0.3, n_rows=150), replace(RULE, min_rows=200))

    assert verdict.outcome is Outcome.HOLD
    assert "holdout has ≥ 200 rows: found 150" in verdict.reason


def sliced(bad: int, n_rows: int = 4000) -> PairedScores:
    """A challenger that is better, save in the last `bad` rows, where it guesses."""
    rows = scores(1.0, 0.7, n_rows)
    here = np.arange(n_rows) >= n_rows - bad
    guesses = np.random.default_rng(1).random(n_rows)
    challenger = np.where(here, guesses, rows.challenger)
    return replace(rows, challenger=challenger, slices={"sex=F": here, "sex=M": ~here})


def test_a_slice_that_loses_rejects_what_is_better_on_the_whole() -> None:
    rows = sliced(bad=600)

    whole = judge(GOOD, replace(rows, slices={}), RULE)
    parts = judge(GOOD, rows, replace(RULE, slices=SliceRule(("sex",), margin=0.05, min_rows=200)))

    assert whole.outcome is Outcome.PROMOTE
    assert parts.outcome is Outcome.REJECT
    assert "slice sex=F" in parts.reason
    assert [(part.name, part.state) for part in parts.slices] == [("sex=F", "failed"), ("sex=M", "passed")]


@pytest.mark.parametrize(("hold", "outcome"), [(False, Outcome.PROMOTE), (True, Outcome.HOLD)])
def test_a_slice_too_small_to_judge_is_reported_or_held(hold: bool, outcome: Outcome) -> None:
    rule = replace(RULE, slices=SliceRule(("sex",), min_rows=500, hold_small=hold))

    verdict = judge(GOOD, sliced(bad=100), rule)

    assert verdict.outcome is outcome
    assert verdict.slices[0].state == "too small"


def test_a_slice_with_rows_enough_and_no_value_holds_and_says_so() -> None:
    rows = scores(1.0, 0.7)
    here = np.arange(4000) < 1000
    quiet = replace(
        rows,
        champion=np.where(here, 0.0, rows.champion),
        challenger=np.where(here, 0.1, rows.challenger),  # nothing of it is called positive, so there is no Precision
        slices={"sex=F": here, "sex=M": ~here},
    )
    rule = replace(with_metric(metric="Precision"), slices=SliceRule(("sex",), margin=0.2, min_rows=500))

    verdict = judge(GOOD, quiet, rule)

    assert verdict.outcome is Outcome.HOLD, verdict.reason
    assert "held: slice-undefined: slice sex=F has a value of Precision in both models" in verdict.reason
    assert judge(GOOD, replace(quiet, slices={}), rule).outcome is Outcome.PROMOTE


def test_the_more_slices_the_wider_each_interval() -> None:
    rows = scores(1.0, 0.9)
    thirds = {f"part={n}": np.arange(4000) % 8 == n for n in range(8)}
    rule = replace(RULE, replicates=1000, slices=SliceRule(("part",), min_rows=100))

    one = judge(GOOD, replace(rows, slices={"part=0": thirds["part=0"]}), rule).slices[0]
    of_eight = judge(GOOD, replace(rows, slices=thirds), rule).slices[0]

    assert one.gain == of_eight.gain
    assert one.lower is not None
    assert of_eight.lower is not None
    assert of_eight.lower < one.lower


def test_small_losses_do_not_add_up_against_the_last_approved_model() -> None:
    rows = scores(1.3, 1.1)
    anchor = replace(rows, anchor=scores(1.0, 0.7).challenger)

    creeping = judge(GOOD, anchor, RULE)

    assert judge(GOOD, rows, RULE).outcome is Outcome.PROMOTE
    assert creeping.outcome is Outcome.REJECT
    assert "against the last approved model: lower bound of the gain in AUC > −0.03: found −0." in creeping.reason
    unapproved = judge(GOOD, replace(anchor, anchor_name="published model"), RULE)
    assert "against the published model: lower bound" in unapproved.reason
    assert unapproved.anchor
    assert unapproved.anchor.name == "published model"
    assert judge(GOOD, anchor, replace(RULE, creep_margin=0.5)).outcome is Outcome.PROMOTE


@pytest.mark.parametrize(("uses", "outcome"), [(5, Outcome.PROMOTE), (6, Outcome.HOLD)])
def test_a_holdout_used_more_often_than_its_budget_is_held(uses: int, outcome: Outcome) -> None:
    rule = replace(RULE, holdout_budget=5)

    assert judge(GOOD, scores(1.0, 0.7), rule, Circumstances(holdout_uses=uses)).outcome is outcome
    assert judge(GOOD, scores(1.0, 0.7), replace(rule, holdout_budget=0), Circumstances(holdout_uses=99)).outcome is (
        Outcome.PROMOTE
    )


@pytest.mark.parametrize(
    ("overlap", "outcome"), [(None, Outcome.PROMOTE), (0.01, Outcome.PROMOTE), (0.011, Outcome.HOLD)]
)
def test_holdout_rows_in_the_training_data_hold_the_run(overlap: float | None, outcome: Outcome) -> None:
    assert judge(GOOD, scores(1.0, 0.7), RULE, Circumstances(overlap=overlap)).outcome is outcome


@pytest.mark.parametrize(
    ("policy", "metrics", "outcome"),
    [
        (Policy.ABSOLUTE_ONLY, GOOD, Outcome.PROMOTE),
        (Policy.ABSOLUTE_ONLY, {}, Outcome.REJECT),
        (Policy.APPROVAL, GOOD, Outcome.HOLD),
        (Policy.APPROVAL, {}, Outcome.REJECT),
        (Policy.REFUSE, GOOD, Outcome.REJECT),
    ],
)
def test_what_cannot_be_compared_follows_its_policy_and_says_unpaired(
    policy: Policy, metrics: dict[str, float], outcome: Outcome
) -> None:
    unpaired = judge(
        metrics, None, replace(RULE, unpaired=policy), Circumstances(unpaired_because="no staging endpoint")
    )
    first = judge(metrics, scores(0.7, 1.0), replace(RULE, first_model=policy), Circumstances(is_first=True))

    assert (unpaired.outcome, first.outcome) == (outcome, outcome)
    for verdict in (unpaired, first):
        assert verdict.reason.startswith("UNPAIRED")
        assert not verdict.paired


def test_a_gate_that_judges_nothing_promotes_nothing() -> None:
    verdict = judge(GOOD, None, replace(RULE, floors={}, ceilings={}))

    assert (verdict.outcome, verdict.fault) == (Outcome.HOLD, Fault.NOTHING_JUDGED)


def test_a_failed_rule_outweighs_one_that_only_holds() -> None:
    assert judge(GOOD, scores(0.7, 1.0, n_rows=99), RULE).outcome is Outcome.REJECT


@pytest.mark.parametrize(
    ("value", "fault"), [(None, "metric-missing"), (NAN, "metric-not-finite"), (2.0, "metric-impossible")]
)
def test_a_bound_that_evidence_cannot_meet_names_the_fault(value: float | None, fault: str) -> None:
    metrics = GOOD | ({"AUC": value} if value is not None else {})
    if value is None:
        metrics.pop("AUC")

    (check,) = [check for check in judge(metrics, None, RULE).checks if check.rule.startswith("AUC")]

    assert check.fault
    assert check.fault.value == fault


def test_a_verdict_tells_the_rule_it_was_made_under() -> None:
    rule = judge(GOOD, None, RULE).as_json()["rule"]

    assert rule["metrics"][0]["margin"] == 0.01
    assert rule["metrics"][0]["mode"] == "non-inferiority"
    assert rule["floors"] == {"AUC": 0.8}
