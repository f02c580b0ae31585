"""The sweep finds what no event brought to its end, and leaves everything else alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from census_rows import people
from retraining_world import World

from shared.domain.data.dataset import Dataset, dataset_key
from shared.retraining.training.naming import run_id_of


@pytest.fixture
def later(world: World) -> None:
    """Ten minutes have passed for the sweep."""
    world.app.sweeping._clock = lambda: datetime.now(UTC) + timedelta(minutes=10)


@pytest.mark.usefixtures("later")
def test_a_file_that_no_event_announced_is_taken_up(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))

    assert world.app.sweeping.sweep() == ["census/a.csv"]

    assert world.dataset("a.csv")["state"] == "ACCEPTED"
    assert world.run()["state"] == "TRAINING"
    assert world.app.sweeping.sweep() == []


def test_a_file_is_left_to_its_own_event_at_first(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))

    assert world.app.sweeping.sweep() == []
    assert world.app.views.datasets(None)["datasets"] == []


def test_a_file_in_no_folder_is_shown_at_once_with_what_to_do(world: World) -> None:
    world.put("training-data/stray.csv", people(600))
    reason = "lies in no folder; the folder says which model a file trains: put it into 'census/'"
    before = world.app.explaining.explain("stray.csv", None)
    assert before["model"] is None
    assert before["explanation"][1] == f"It will trigger nothing: it {reason}."

    world.pass_time(seconds=2)  # a blob's time has whole seconds
    assert world.app.sweeping.sweep() == ["stray.csv"]

    (dataset,) = world.app.views.datasets(None)["datasets"]
    assert (dataset["name"], dataset["state"], dataset["reason"]) == ("stray.csv", "QUARANTINED", reason)
    assert reason in world.app.explaining.explain("stray.csv", None)["explanation"][1]
    assert reason.partition("'")[0] in world.app.dashboard.overview("", "")


@pytest.mark.usefixtures("later")
def test_settled_files_are_left_alone(world: World) -> None:
    world.drop("a.csv", people(600))
    world.drop("again.csv", people(600))
    world.drop("broken.csv", b"x\n1\n")
    world.put("training-data/nobody/a.csv", b"x\n1\n")
    assert world.app.sweeping.sweep() == ["nobody/a.csv"]
    calls = len(world.service.calls)

    assert world.app.sweeping.sweep() == []
    assert len(world.service.calls) == calls


@pytest.mark.usefixtures("later")
def test_a_file_whose_reader_died_is_read_again(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))
    _enter(world, "a.csv")

    assert world.app.sweeping.sweep() == ["census/a.csv"]
    assert world.dataset("a.csv")["state"] == "ACCEPTED"


@pytest.mark.usefixtures("later")
def test_a_file_whose_reader_died_after_making_its_run_finds_that_run(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))
    entered = _enter(world, "a.csv")
    save = world.app.arrival._ledger.save

    def die(dataset: Dataset) -> Dataset:
        raise RuntimeError("killed")

    world.app.arrival._ledger.save = die  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        world.deliver("a.csv")
    world.app.arrival._ledger.save = save  # type: ignore[method-assign]
    assert world.run()["id"] == run_id_of("census", entered.seen_at, entered.key)

    assert world.app.sweeping.sweep() == ["census/a.csv"]

    assert world.dataset("a.csv")["run_id"] == world.run()["id"]
    assert world.run()["state"] == "TRAINING"


@pytest.mark.usefixtures("later")
def test_a_file_long_overdue_is_an_alarm(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.put("training-data/census/a.csv", people(600))
    world.app.sweeping._clock = lambda: datetime.now(UTC) + timedelta(hours=2)

    world.app.sweeping.sweep()

    (alarm,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "dataset.overdue" in alarm.getMessage()
    assert "census/a.csv" in alarm.getMessage()


def _enter(world: World, name: str) -> Dataset:
    """Enter a file in the ledger and read it no further, as a worker does that dies then."""
    (facts,) = [f for f in world.app.sweeping._blobs.listing("training-data") if f.name == f"census/{name}"]
    key = dataset_key(facts.container, facts.name, facts.etag)
    return world.app.sweeping._ledger.enter(
        Dataset(key, "census", facts.container, facts.name, facts.etag, facts.size, datetime.now(UTC))
    )
