"""Schedules in the platform's dialect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.lifecycle.schedule import is_due, problem_with

MONDAY = datetime(2026, 11, 23, 2, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule", ["0 0 3 * * *", "*/10 * * * * *", "0 */5 * * * Mon-Fri", "0 0 0 1 Jan 0", "0 0 3 * Jul wed"]
)
def test_the_platforms_schedules_are_accepted(schedule: str) -> None:
    assert problem_with(schedule) == ""


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * * *",
        "0 0 3 * * 7",
        "0 0 3 L * *",
        "0 0 3 ? * *",
        "0 0 3 * * 1#2",
        "@daily",
        "0 0 25 * * *",
        "a b c d e f",
    ],
)
def test_what_the_platform_does_not_know_is_refused_with_a_reason(schedule: str) -> None:
    assert problem_with(schedule)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (MONDAY, MONDAY, False),
        (MONDAY, MONDAY + timedelta(seconds=1), True),
        (MONDAY + timedelta(seconds=1), MONDAY + timedelta(hours=23), False),
        (MONDAY, MONDAY + timedelta(days=9), True),
    ],
)
def test_a_schedule_is_due_once_an_occurrence_has_passed(last: datetime, now: datetime, due: bool) -> None:
    assert is_due("0 0 3 * * *", last, now) is due


def test_day_and_weekday_must_both_match() -> None:
    first_of_december = datetime(2026, 12, 1, tzinfo=UTC)  # a Tuesday

    assert not is_due("0 0 3 1 12 Mon", first_of_december, first_of_december + timedelta(days=30))
    assert is_due("0 0 3 1 12 Tue", first_of_december, first_of_december + timedelta(days=30))
