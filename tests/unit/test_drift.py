"""Drift: distances between columns, and when they are reason enough to retrain."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shared.domain.data.contract import Column, Contract, Kind
from shared.domain.data.drift import SAMPLE_ROWS, DriftRule, Profile, distances, drifted_columns, profile, sampled

CONTRACT = Contract(
    (Column("age", Kind.INTEGER), Column("sex", Kind.CATEGORY), Column("label", Kind.CATEGORY)), "label"
)
HEADER = ["age", "sex", "label"]


def rows(n_rows: int, *, mean: float = 40, share: float = 0.5, missing: float = 0.0, seed: int = 1) -> list[list[str]]:
    draw = random.Random(seed)
    return [
        [
            "?" if draw.random() < missing else str(round(draw.gauss(mean, 10))),
            "F" if draw.random() < share else "M",
            "yes",
        ]
        for _ in range(n_rows)
    ]


def described(n_rows: int = 4000, **changes: float) -> Profile:
    made = rows(n_rows, **changes)  # type: ignore[arg-type]
    return profile(HEADER, made, len(made), CONTRACT)


REFERENCE = described()


def test_rows_of_the_same_kind_are_close_and_the_label_is_not_looked_at() -> None:
    found = distances(REFERENCE, described(seed=2))

    assert found.keys() == {"age", "sex"}
    assert max(found.values()) < 0.06


@pytest.mark.parametrize(
    ("changes", "column", "least"),
    [({"mean": 55}, "age", 0.4), ({"share": 0.9}, "sex", 0.35), ({"missing": 0.4}, "age", 0.35)],
)
def test_another_mean_another_share_and_missing_values_show(
    changes: dict[str, float], column: str, least: float
) -> None:
    found = distances(REFERENCE, described(seed=2, **changes))  # type: ignore[arg-type]

    assert next(iter(found)) == column
    assert found[column] > least


def test_a_distance_is_one_where_nothing_is_in_common_and_none_of_a_column_with_itself() -> None:
    far = distances(REFERENCE, described(mean=4000, share=0.5))

    assert far["age"] == pytest.approx(1.0, abs=0.11)  # the outermost decile has no end
    assert distances(REFERENCE, REFERENCE) == {"age": 0.0, "sex": 0.0}


def test_a_column_of_one_value_does_not_drift_by_itself() -> None:
    constant = profile(HEADER, [["0", "F", "yes"]] * 1000, 1000, CONTRACT)

    assert distances(constant, constant)["age"] == 0.0
    assert distances(constant, described())["age"] > 0.9


def test_a_column_that_lost_all_its_values_has_nothing_in_common() -> None:
    empty = profile(HEADER, [["?", "F", "yes"]] * 1000, 1000, CONTRACT)

    assert distances(REFERENCE, empty)["age"] == 1.0
    assert distances(empty, empty)["age"] == 0.0


@pytest.mark.parametrize(("n_rows", "judged"), [(499, False), (500, True)])
def test_a_file_with_few_rows_is_not_judged(n_rows: int, judged: bool) -> None:
    far = described(n_rows, mean=80)

    assert bool(drifted_columns(REFERENCE, far, DriftRule())) is judged


def test_only_the_columns_that_are_named_count() -> None:
    far = described(mean=80, share=0.9)

    assert list(drifted_columns(REFERENCE, far, DriftRule(columns=("sex",)))) == ["sex"]
    assert set(drifted_columns(REFERENCE, far, DriftRule())) == {"age", "sex"}
    assert drifted_columns(REFERENCE, far, DriftRule(threshold=1.0)) == {}


@pytest.mark.parametrize(
    ("newest_first", "called_for"),
    [
        ([], False),
        ([True], False),
        ([True, True], True),
        ([True, False, True], True),
        ([False, True, True], False),
        ([True, False, False, True], False),
    ],
)
def test_two_of_three_files_the_newest_among_them_call_for_a_retraining(
    newest_first: list[bool], called_for: bool
) -> None:
    assert DriftRule(files=3, drifted=2).is_called_for(newest_first) is called_for


def test_a_sample_is_small_fair_and_the_same_again() -> None:
    many = [[str(number)] for number in range(4 * SAMPLE_ROWS)]

    count, kept = sampled(many, "seed")

    assert (count, len(kept)) == (4 * SAMPLE_ROWS, SAMPLE_ROWS)
    assert sampled(many, "seed")[1] == kept
    mean = sum(int(row[0]) for row in kept) / SAMPLE_ROWS
    assert mean == pytest.approx(2 * SAMPLE_ROWS, rel=0.05)
    assert sampled(many[:3], "seed") == (3, many[:3])


def test_a_profile_survives_json() -> None:
    assert Profile(**REFERENCE.as_json()) == REFERENCE
    assert replace(REFERENCE, rows=1) != REFERENCE
