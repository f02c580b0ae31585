"""When a window over waiting files closes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.data.dataset import Dataset, DatasetState, is_no_data
from shared.domain.data.waiting import Batching, closed_because, is_marker

AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def waiting(*files: tuple[str, int, int]) -> list[Dataset]:
    """Files by name, minutes since they were seen, and good rows."""
    return [
        Dataset(
            key=name,
            model="m",
            container="training-data",
            name=name,
            etag="0x1",
            size=9,
            seen_at=AT - timedelta(minutes=age),
            state=DatasetState.ACCEPTED,
            good=rows,
        )
        for name, age, rows in files
    ]


@pytest.mark.parametrize(
    ("files", "min_rows", "why"),
    [
        ([], 1, ""),
        ([("a", 1, 5)], 0, ""),
        ([("a", 29, 5)], 6, ""),
        ([("a", 30, 5)], 6, "'a' has waited for 30 min"),
        ([("b", 1, 9), ("a", 31, 5)], 0, "'a' has waited for 30 min"),
        ([("a", 1, 5), ("b", 0, 1)], 6, "6 rows are there, of at least 6"),
    ],
)
def test_a_window_closes_by_time_or_rows(files: list[tuple[str, int, int]], min_rows: int, why: str) -> None:
    assert closed_because(Batching(timedelta(minutes=30), min_rows), waiting(*files), AT) == why


@pytest.mark.parametrize(
    ("name", "marker", "is_one"),
    [
        ("m/_SUCCESS", "_SUCCESS", True),
        ("m/day/_SUCCESS", "_SUCCESS", True),
        ("m/_SUCCESS/a.csv", "_SUCCESS", False),
        ("m/a.csv", "_SUCCESS", False),
        ("m/DONE", "DONE", True),
        ("m/", "", False),
    ],
)
def test_a_marker_is_known_by_the_end_of_its_name(name: str, marker: str, is_one: bool) -> None:
    assert is_marker(name, Batching(timedelta(1), marker=marker)) is is_one
    assert not is_marker(name, None)


@pytest.mark.parametrize(
    ("name", "is_none"), [("m/a.csv", False), ("m/_a.csv", True), ("m/.a.csv", True), ("_m/a.csv", False)]
)
def test_hidden_files_and_markers_are_no_data(name: str, is_none: bool) -> None:
    assert is_no_data(name) is is_none
