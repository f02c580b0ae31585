"""Golden rows: which are chosen, and when answers agree."""

from __future__ import annotations

import numpy as np
import pytest

from shared.domain.measuring import golden

NAN = float("nan")


def test_golden_rows_are_those_where_the_models_disagree_most() -> None:
    champion, challenger = np.array([0.1, 0.5, 0.9, 0.3]), np.array([0.1, 0.9, 0.8, 0.3])

    assert golden.choose(champion, challenger) == [1, 2]


@pytest.mark.parametrize(
    ("expected", "answers", "agrees"),
    [([0.5], [0.5 + 1e-7], True), ([0.5], [0.5001], False), ([], [], False), ([0.5], [], False), ([0.5], [NAN], False)],
)
def test_golden_rows_agree_only_on_the_same_answers(expected: list[float], answers: list[float], agrees: bool) -> None:
    assert golden.agree(expected, answers) is agrees


def test_rows_of_class_probabilities_differ_by_their_widest_class() -> None:
    champion = np.array([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    challenger = np.array([[0.5, 0.5], [0.3, 0.7], [0.1, 0.9]])

    assert golden.choose(champion, challenger) == [2, 1]
    assert golden.agree(challenger.tolist(), challenger)
    assert not golden.agree(challenger.tolist(), champion)


def test_large_predictions_agree_by_their_size() -> None:
    assert golden.agree([1e9], [1e9 + 10])
    assert not golden.agree([1e9], [1e9 + 1e5])


def test_models_of_different_classes_differ_on_every_row() -> None:
    assert golden.choose(np.ones((3, 2)), np.ones((3, 3))) == [0, 1, 2]
