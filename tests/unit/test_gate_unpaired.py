"""What is judged where there is nothing to compare, or too little."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_rows import GOOD, RULE, scores

from shared.domain.gate import Circumstances, Fault, Outcome, Policy, Severity, judge


def test_a_verdict_without_a_holdout_says_that_it_is_unpaired() -> None:
    verdict = judge(GOOD, None, RULE)

    assert verdict.outcome is Outcome.PROMOTE
    assert not verdict.paired
    assert verdict.reason.startswith("UNPAIRED")


def test_a_holdout_with_few_rows_is_held() -> None:
    verdict = judge(GOOD, scores(1.0, 0.3, n_rows=150), replace(RULE, min_rows=200))

    assert verdict.outcome is Outcome.HOLD
    assert "holdout has ≥ 200 rows: found 150" in verdict.reason


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


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_holdout_rows_in_the_champions_training_data_are_noted_and_change_nothing(share: float) -> None:
    """They flatter the champion alone: who beats it all the same is better."""
    better, worse = scores(1.0, 0.7), scores(0.7, 1.0)
    around = Circumstances(champion_overlap=share)

    verdict = judge(GOOD, better, RULE, around)

    (check,) = [check for check in verdict.checks if "champion's training data" in check.rule]
    assert check.sentence() == f"share of the holdout in the champion's training data ≤ 0.01: found {share:g}"
    assert (check.passed, check.severity) == (share <= 0.01, Severity.REPORT)
    assert (verdict.outcome, verdict.reason) == (Outcome.PROMOTE, judge(GOOD, better, RULE).reason)
    assert judge(GOOD, worse, RULE, around).outcome is judge(GOOD, worse, RULE).outcome is Outcome.REJECT


def test_a_holdout_whose_rows_nobody_can_look_for_in_the_training_data_asks_a_person() -> None:
    verdict = judge(GOOD, scores(1.0, 0.7), RULE, Circumstances(uncounted_because="it is gone"))

    assert verdict.outcome is Outcome.HOLD
    assert "the holdout's rows can be looked for in the training data (it is gone): found missing" in verdict.reason


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
