"""Parts of the holdout, and the last approved model: what the whole may hide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gate_rows import GOOD, RULE, scores, sliced, with_metric

from shared.domain.gate import Outcome, SliceRule, judge


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
