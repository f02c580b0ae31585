"""Evidence that cannot be judged is an error or a question, never a promotion."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gate_rows import GOOD, INFINITY, NAN, RULE, numbers, one_positive, scores, with_metric

from shared.domain.gate import Fault, GateRule, MetricRule, Outcome, judge
from shared.domain.measuring.paired import PairedScores


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


def test_a_verdict_is_json_even_when_a_metric_is_not_a_number() -> None:
    verdict = judge(GOOD | {"AUC": NAN}, None, RULE)

    assert json.loads(json.dumps(verdict.as_json(), allow_nan=False))["outcome"] == "REJECT"


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
