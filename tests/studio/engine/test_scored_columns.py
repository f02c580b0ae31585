"""Score Model's columns for every kind of answer."""

from __future__ import annotations

import pytest

from studio.engine.schema import ColumnType
from studio.engine.scored_columns import Answers, ScoredColumns, quantile_text, scored_columns


def _columns(answers: Answers) -> ScoredColumns:
    return scored_columns(answers, ("a", "b", "c"), ColumnType.CATEGORICAL, (0.1, 0.5, 0.9))


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        (Answers.PROBABILITY, ["Scored Labels", "Scored Probabilities"]),
        (
            Answers.PROBABILITIES,
            [*(f'Scored Probabilities for Class "{name}"' for name in "abc"), "Scored Labels"],
        ),
        (Answers.VALUE, ["Scored Labels"]),
        (Answers.MOMENTS, ["Scored Label Mean", "Scored Label Standard Deviation"]),
        (Answers.QUANTILES, ["Scored Labels", "Quantile:0.100", "Quantile:0.500", "Quantile:0.900"]),
    ],
)
def test_columns_have_studios_names(answers: Answers, names: list[str]) -> None:
    assert [name for name, _ in _columns(answers).columns] == names


@pytest.mark.parametrize(
    ("answers", "given", "cells"),
    [
        (Answers.PROBABILITY, [0.5, 0.499], [("b", "0.5"), ("a", "0.499")]),
        (Answers.PROBABILITIES, [0.2, 0.5, 0.3], [("0.2", "0.5", "0.3", "b")]),
        (Answers.PROBABILITIES, [0.4, 0.4, 0.2], [("0.4", "0.4", "0.2", "a")]),
        (Answers.SHARES, [0.5, 0.25, 1.25], [("0.25", "0.125", "0.625", "c")]),
        (Answers.SHARES, [0.0, 0.0, 0.0], [("0.333333333333333",) * 3 + ("a",)]),
        (Answers.VALUE, [-2.5, 1e15], [("-2.5",), ("1E+15",)]),
        (Answers.MOMENTS, [3.0, 5.0, 4.0], [("3", "2")]),
        (Answers.MOMENTS, [3.0, 0.9, 4.0], [("3", "0")]),
        (Answers.QUANTILES, [3.0, 1.0, 2.0], [("2", "1", "2", "3")]),
    ],
)
def test_answers_become_cells(answers: Answers, given: list[float], cells: list[tuple[str, ...]]) -> None:
    assert list(_columns(answers).cells(given)) == cells


@pytest.mark.parametrize(("quantile", "text"), [(0.25, "0.250"), (0.5, "0.500"), (0.0125, "0.0125")])
def test_quantiles_are_written_with_three_digits_or_as_many_as_they_need(quantile: float, text: str) -> None:
    assert quantile_text(quantile) == text
