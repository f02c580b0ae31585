"""Ratios and goals: the parts of a report that people quote."""

from __future__ import annotations

import pytest

from benchmarks.figures import Better, Comparison, Goal, Observation, Samples
from benchmarks.report import markdown


def _compared(
    ours: list[float], peer: list[float], better: Better, goal: Goal | None = None, failures: int = 0
) -> Comparison:
    return Comparison("latency", "ms", better, Samples(ours), Samples(peer), "a peer", goal, failures)


@pytest.mark.parametrize(
    ("ours", "peer", "better", "advantage"),
    [
        ([0.2], [6.0], Better.LESS, 30),
        ([6.0], [0.2], Better.LESS, 1 / 30),
        ([9000.0], [120.0], Better.MORE, 75),
        ([1.0, 2.0, 90.0], [8.0, 2.0, 8.0], Better.LESS, 4),  # medians, so one bad round does not count
        ([0.0], [5.0], Better.LESS, float("inf")),
    ],
)
def test_an_advantage_is_how_many_times_better_our_median_is(
    ours: list[float], peer: list[float], better: Better, advantage: float
) -> None:
    assert _compared(ours, peer, better).advantage == pytest.approx(advantage)


@pytest.mark.parametrize(
    ("ours", "failures", "is_met"), [(0.2, 0, True), (0.201, 0, False), (0.1, 0, True), (0.1, 1, False)]
)
def test_a_goal_is_met_from_its_bound_on_and_never_with_failed_requests(
    ours: float, failures: int, is_met: bool
) -> None:
    comparison = _compared([ours], [6.0], Better.LESS, Goal(30, 50), failures)

    assert comparison.is_met is is_met


def test_without_a_goal_nothing_is_met_or_missed() -> None:
    assert _compared([1.0], [2.0], Better.LESS).is_met is None


def test_a_report_shows_a_missed_goal_its_spread_and_its_disturbance() -> None:
    disturbed = Samples([1.0, 2.0, 3.0], [0.01, 0.9, None])
    missed = Comparison("start", "s", Better.LESS, disturbed, Samples([4.0]), "a peer", Goal(8, 12))

    text = markdown([missed], "rows", quick=False)

    assert "| start | 2 s (1–3) | 4 s | a peer | 2 | 8 | 12 | **no** | 0.90 (disturbed) |" in text


def test_a_quick_report_says_that_it_is_not_to_be_quoted() -> None:
    figure = Observation("memory", "MB", Samples([31.0]))

    assert "not to be quoted" in markdown([figure], "rows", quick=True)
    assert "not to be quoted" not in markdown([figure], "rows", quick=False)
