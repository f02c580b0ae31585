"""Limits of a model, and turns between models."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from test_runs import a_run

from shared.domain.lifecycle.limits import Admissions, Limits, in_turn
from shared.domain.lifecycle.runs import Run, RunState

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def queued(model: str, name: str, minute: int) -> Run:
    return replace(a_run(RunState.RECEIVED), id=name, model=model, created_at=NOW + timedelta(minutes=minute))


def admitted(*hours_ago: float) -> Admissions:
    return Admissions("census", tuple((f"r{h}", NOW - timedelta(hours=h)) for h in hours_ago))


def test_jobs_at_once_are_those_let_through_that_still_work() -> None:
    limits = Limits(concurrent_jobs=2)

    assert admitted(2, 1).obstacle(limits, {"r1"}, NOW) == ""
    assert "may have 2 at once" in admitted(2, 1).obstacle(limits, {"r1", "r2", "not let through"}, NOW)


def test_runs_a_day_are_those_let_through_within_24_hours() -> None:
    limits = Limits(runs_per_day=2)

    assert admitted(25, 24, 1).obstacle(limits, set(), NOW) == ""
    assert admitted(25, 23, 1).obstacle(limits, set(), NOW) == (
        "2026-01-02 01:00 UTC: 'census' may start 2 runs in 24 hours (limits.runs_per_day)"
    )


def test_only_what_a_limit_counts_is_remembered() -> None:
    kept = admitted(48, 30, 1).admitting("new", {"r48"}, NOW)

    assert [run for run, _ in kept.admitted] == ["r48", "r1", "new"]
    assert kept.since("new") == NOW
    assert kept.since("r30") is None


def test_models_take_turns_and_each_has_its_oldest_first() -> None:
    flood = [queued("a", f"a{n}", n) for n in range(4)]
    others = [queued("b", "b0", 9), queued("b", "b1", 10), queued("c", "c0", -1)]

    assert [run.id for run in in_turn([*reversed(flood), *others])] == ["c0", "a0", "b0", "a1", "b1", "a2", "a3"]


def test_no_run_is_no_turn() -> None:
    assert list(in_turn([])) == []
