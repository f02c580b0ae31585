"""Scheduled retraining: what has come since the last run, once, in one training set."""

from __future__ import annotations

import multiprocessing
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import killed_gatherer
import pytest
from census_rows import people
from retraining_world import World

from shared.composition import compose
from shared.domain.data.dataset import Dataset
from shared.settings import ROOT

_processes = multiprocessing.get_context("forkserver")


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
    app = world.app
    for use_case in (app.arrival, app.scheduled, app.scheduled._gathering, app.advancing, app.evaluation):
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
    composed = nightly.get(_stored(nightly)["training_blob"]).splitlines()
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
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        nightly.drop(name, people(600, seed=seed))
        clock.now += timedelta(seconds=1)
    clock.now += timedelta(hours=1)
    gathering = nightly.app.scheduled._gathering
    save, saved = gathering._ledger.save, []

    def die(dataset: Dataset) -> Dataset:
        if saved:
            raise RuntimeError("killed")
        saved.append(dataset.name)
        return save(dataset)

    gathering._ledger.save = die  # type: ignore[method-assign]
    nightly.app.scheduled.retrain_due()
    assert saved == ["census/b.csv"]
    gathering._ledger.save = save  # type: ignore[method-assign]

    nightly.app.scheduled.retrain_due()

    (run,) = nightly.app.views.runs(None)["runs"]
    assert run["datasets"] == ["census/a.csv", "census/b.csv"]
    assert {nightly.dataset(name)["run_id"] for name in ("a.csv", "b.csv")} == {run["id"]}
    assert nightly.service.count("POST", "/start$") == 1


def test_a_worker_killed_while_it_gathers_delays_the_run_by_minutes(
    nightly: World, clock: Clock, tmp_path: Path
) -> None:
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        nightly.drop(name, people(600, seed=seed))
        clock.now += timedelta(seconds=1)
    clock.now += timedelta(hours=1)
    environment = nightly.environment | {"MODELS_FILE": str(tmp_path / "models.toml")}
    killed = _processes.Process(target=killed_gatherer.gather, args=(environment, clock.now))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL

    nightly.app.scheduled.retrain_due()
    assert nightly.app.views.runs(None)["runs"] == []  # for all that is known, the other one is at work

    clock.now += timedelta(minutes=3, seconds=1)
    nightly.app.scheduled.retrain_due()

    assert nightly.run()["datasets"] == ["census/a.csv", "census/b.csv"]
    assert nightly.service.count("POST", "/start$") == 1


def test_a_worker_that_is_long_at_it_keeps_its_right(nightly: World, clock: Clock) -> None:
    for name, seed in (("a.csv", 1), ("b.csv", 2)):
        nightly.drop(name, people(600, seed=seed))
        clock.now += timedelta(seconds=1)
    clock.now += timedelta(hours=1)
    sets = nightly.app.scheduled._gathering._training_sets
    add, others = sets._add, []

    def take_long(*arguments: Any) -> None:
        clock.now += timedelta(minutes=2)
        add(*arguments)
        others.append(nightly.app.scheduled.retrain_due())  # another tick looks, and finds it held

    sets._add = take_long  # type: ignore[method-assign]
    nightly.app.scheduled.retrain_due()

    assert len(others) == 2
    assert nightly.run()["datasets"] == ["census/a.csv", "census/b.csv"]


def test_a_file_replaced_before_its_run_is_left_out(nightly: World, clock: Clock) -> None:
    for name, seed in (("a.csv", 1), ("b.csv", 2), ("a.csv", 3)):
        clock.now += timedelta(seconds=1)
        nightly.drop(name, people(600, seed=seed))

    clock.now += timedelta(hours=1)
    nightly.app.scheduled.retrain_due()

    states = sorted(d["state"] for d in nightly.app.views.datasets(None)["datasets"] if d["name"] == "census/a.csv")
    assert states == ["ACCEPTED", "REPLACED"]
    assert nightly.run()["datasets"] == ["census/b.csv", "census/a.csv"]


def _stored(world: World) -> dict[str, str]:
    (run,) = world.rows("runs")
    return run
