"""Scheduled retraining: what has come since the last run, once, in one training set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from census_rows import people
from conftest import World

from shared.composition import compose
from shared.retraining.naming import run_id_of
from shared.settings import ROOT


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nightly(world: World, clock: Clock, tmp_path: Path) -> World:
    """The same world with a schedule: three in the morning."""
    models = tmp_path / "models.toml"
    models.write_text((ROOT / "models.toml").read_text().replace("# schedule", "schedule"))
    world.app = compose(world.environment | {"MODELS_FILE": str(models)})
    for use_case in (world.app.arrival, world.app.scheduled, world.app.advancing, world.app.evaluation):
        use_case._clock = clock
    world.app.scheduled.retrain_due()  # the first look sets the starting point
    return world


def test_files_wait_for_the_schedule_and_train_together(nightly: World, clock: Clock) -> None:
    first, second = people(600, seed=1), people(700, seed=2).replace(b"\n", b"\r\n")
    nightly.drop("a.csv", first)
    nightly.drop("b.csv", b"\xef\xbb\xbf" + second)
    nightly.app.scheduled.retrain_due()
    assert nightly.app.views.runs(None)["runs"] == []
    assert "waits for the schedule '0 0 3 * * *'" in nightly.dataset("a.csv")["reason"]

    clock.now += timedelta(hours=1)
    nightly.app.scheduled.retrain_due()

    run = nightly.run()
    assert run["datasets"] == ["census/a.csv", "census/b.csv"]
    composed = nightly.get(f"training-sets/census/{run['id']}.csv").splitlines()
    assert composed == first.splitlines() + second.splitlines()[1:]
    assert nightly.dataset("a.csv")["run_id"] == run["id"]
    assert run["state"] == "TRAINING"


def test_a_due_schedule_with_nothing_new_costs_no_call(nightly: World, clock: Clock) -> None:
    clock.now += timedelta(hours=1)

    nightly.app.scheduled.retrain_due()

    assert nightly.service.calls == []
    assert nightly.app.views.runs(None)["runs"] == []


def test_a_file_trains_in_one_scheduled_run_only(nightly: World, clock: Clock) -> None:
    nightly.drop("a.csv", people(600, seed=1))
    clock.now += timedelta(hours=1)
    nightly.app.scheduled.retrain_due()
    nightly.app.scheduled.retrain_due()

    nightly.drop("b.csv", people(600, seed=2))
    clock.now += timedelta(days=1)
    nightly.app.scheduled.retrain_due()

    runs = nightly.app.views.runs(None)["runs"]
    assert [run["datasets"] for run in runs] == [["census/b.csv"], ["census/a.csv"]]


def test_a_tick_that_died_half_way_finds_its_own_run_again(nightly: World, clock: Clock) -> None:
    nightly.drop("a.csv", people(600, seed=1))
    clock.now += timedelta(hours=1)
    scheduled = nightly.app.scheduled
    record = scheduled._records.load("census")
    assert record.last_scheduled_at
    scheduled._compose(scheduled._models["census"], run_id_of("census", record.last_scheduled_at, "scheduled"), clock())
    scheduled.retrain_due()

    assert len(nightly.app.views.runs(None)["runs"]) == 1
    assert nightly.dataset("a.csv")["run_id"]
    assert nightly.service.count("POST", "/start$") == 1


def test_a_file_replaced_before_its_run_is_left_out(nightly: World, clock: Clock) -> None:
    for name, seed in (("a.csv", 1), ("b.csv", 2), ("a.csv", 3)):
        clock.now += timedelta(seconds=1)
        nightly.drop(name, people(600, seed=seed))

    clock.now += timedelta(hours=1)
    nightly.app.scheduled.retrain_due()

    states = sorted(d["state"] for d in nightly.app.views.datasets(None)["datasets"] if d["name"] == "census/a.csv")
    assert states == ["ACCEPTED", "REPLACED"]
    assert nightly.run()["datasets"] == ["census/b.csv", "census/a.csv"]
