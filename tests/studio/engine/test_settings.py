"""Settings: what each kind accepts, typed or as text, and what it says about the rest."""

from __future__ import annotations

import pytest

from studio.engine.settings import AnyRule, Choice, NumberList, Rule, Setting, numbers_of

_METHODS = Choice(("Bagging", "Replicate"))
_NODES = NumberList(Rule(int, 100, 1, 1000), "100", 3)
_QUANTILES = NumberList(Rule(float, 0.5, 0.001, 0.999), "0.25;0.5;0.75", 3)


@pytest.mark.parametrize(
    ("rule", "value", "accepted"),
    [
        (_METHODS, "replicate ", "Replicate"),
        (_NODES, "50, 20", "50;20"),
        (_NODES, 50, "50"),
        (_QUANTILES, "0.25;0.5 ; .75", "0.25;0.5;0.75"),
        (_QUANTILES, 0.5, "0.5"),
    ],
)
def test_values_are_accepted_in_one_spelling(rule: AnyRule, value: object, accepted: Setting) -> None:
    assert rule.accept(value) == accepted
    assert rule.accept_text(str(value)) == accepted


@pytest.mark.parametrize(
    ("rule", "value", "problem"),
    [
        (_METHODS, "Boosting", "expected one of 'Bagging', 'Replicate', got 'Boosting'"),
        (_METHODS, 1, "expected one of"),
        (_NODES, "1;2;3;4", "expected 1 to 3 numbers separated by ';', each a whole number from 1 to 1000"),
        (_NODES, "1.5", "whole number"),
        (_NODES, "", "whole number"),
        (_NODES, True, "whole number"),
        (_NODES, "9" * 100_000 + ";" * 100_000, "expected 1 to 3 numbers"),
        (_QUANTILES, "0.5;1", "from 0.001 to 0.999"),
        (_QUANTILES, "nan", "from 0.001 to 0.999"),
        (_QUANTILES, ["0.5"], "expected 1 to 3 numbers"),
    ],
)
def test_other_values_are_refused_with_what_was_expected(rule: AnyRule, value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        rule.accept(value)


def test_a_list_of_numbers_reads_back() -> None:
    assert numbers_of(_QUANTILES.accept("0.1,0.9")) == (0.1, 0.9)
