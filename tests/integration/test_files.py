"""Files as storage really has them: empty, half uploaded, growing, replaced, removed; and rows that may not train."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient
from census_rows import people
from retraining_world import World

from shared.adapters import blobs
from shared.composition import compose
from shared.domain.data.dataset import DatasetState
from shared.errors import RequestRefused, RowsUnaccounted
from shared.settings import ROOT


def test_an_empty_file_is_quarantined_and_says_so(world: World) -> None:
    world.drop("a.csv", b"")

    assert world.dataset("a.csv")["state"] == "QUARANTINED"
    assert world.dataset("a.csv")["reason"] == "found an empty file (0 bytes), expected a header and rows"


@pytest.mark.parametrize("name", ["notes.txt", "a.csv.gz", "may"])
def test_what_is_no_table_by_its_name_is_refused_in_one_sentence_and_not_read(world: World, name: str) -> None:
    world.drop(name, people(600))

    dataset = world.dataset(name)
    assert (dataset["state"], dataset["rows"], world.service.calls) == ("QUARANTINED", 0, [])
    assert dataset["reason"] == (
        f"found a file named '{name}', expected a name that ends in .csv or .tsv: nothing else trains; "
        "drop the data under such a name, or this file elsewhere"
    )


@pytest.mark.parametrize("name", ["_SUCCESS", "_committed_123", ".part-0.crc", "day/_SUCCESS"])
def test_a_marker_of_another_program_is_no_training_data(world: World, name: str) -> None:
    world.drop(name, b"")

    assert world.dataset(name)["state"] == "IGNORED"
    assert world.dataset(name)["reason"] == "no training data: its name starts with '_' or '.'"


def test_a_folder_of_a_hierarchical_account_is_no_training_data(world: World) -> None:
    with _blob(world, "2026") as blob:
        blob.upload_blob(b"", metadata={"hdi_isfolder": "true"})
    world.deliver("2026")

    assert world.dataset("2026")["state"] == "IGNORED"


def test_blocks_that_are_not_committed_are_no_file(world: World) -> None:
    data = people(600)
    with _blob(world, "a.csv") as blob:
        blob.stage_block("block-0", data[:10_000])
        world.deliver("a.csv")
        _later(world, minutes=10)
        assert world.app.sweeping.sweep() == []
        assert world.app.views.datasets(None)["datasets"] == []

        blob.stage_block("block-1", data[10_000:])
        blob.commit_block_list([BlobBlock("block-0"), BlobBlock("block-1")])
    world.deliver("a.csv")

    assert (world.dataset("a.csv")["state"], world.dataset("a.csv")["rows"]) == ("ACCEPTED", 600)


def test_an_append_blob_is_read_when_it_was_left_alone(world: World) -> None:
    data = people(600)
    with _blob(world, "log.csv") as blob:
        blob.create_append_blob()
        world.deliver("log.csv")
        blob.append_block(data[:20_000])
        world.deliver("log.csv")
        waiting = world.dataset("log.csv")
        assert waiting["state"] == "SEEN"
        assert waiting["reason"] == "more may be appended to it: it is read when it was left alone for 60 s, or sealed"
        blob.append_block(data[20_000:])

    _later(world, minutes=10)
    assert world.app.sweeping.sweep() == ["census/log.csv"] * 3

    versions = world.app.views.datasets(None)["datasets"]
    assert sorted(version["state"] for version in versions) == ["ACCEPTED", "REPLACED", "REPLACED"]
    assert {v["rows"] for v in versions if v["state"] == "ACCEPTED"} == {600}
    assert len(world.app.views.runs(None)["runs"]) == 1


def test_an_append_blob_that_grows_while_it_is_read_is_not_trained_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "_PIECE", 4096)  # it takes more than one call to read
    world.app.arrival._blobs = blobs.BlobStore(world.storage)
    with _blob(world, "log.csv") as blob:
        blob.create_append_blob()
        blob.append_block(people(600))
        _later(world, minutes=10)
        settle = world.app.arrival._holdouts.of

        def grow(model):  # type: ignore[no-untyped-def]
            blob.append_block(people(600, seed=2).split(b"\n", 1)[1])
            return settle(model)

        world.app.arrival._holdouts.of = grow  # type: ignore[method-assign]
        world.deliver("log.csv")

    assert world.dataset("log.csv")["state"] == "REPLACED"
    assert world.service.calls == []


def test_a_file_that_was_removed_before_it_was_read_is_settled_by_the_sweep(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))
    inspect = world.app.arrival._inspect

    def die(*_):  # type: ignore[no-untyped-def]
        raise RuntimeError("killed")

    world.app.arrival._inspect = die  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        world.deliver("a.csv")
    world.app.arrival._inspect = inspect  # type: ignore[method-assign]
    with _blob(world, "a.csv") as blob:
        blob.delete_blob()

    _later(world, minutes=10)
    assert world.app.sweeping.sweep() == ["census/a.csv"]

    assert world.dataset("a.csv")["state"] == "REPLACED"
    assert world.dataset("a.csv")["reason"] == "was removed before it was read"


def test_bytes_whose_first_file_never_trained_are_no_duplicate(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600))
    world.put("training-data/census/a.csv", people(600, seed=2))
    app = world.app
    assert app.asking.retrain("census", None, "ann", "")["run"] is None
    assert world.dataset("a.csv")["state"] == "REPLACED"

    world.drop("b.csv", people(600))

    assert world.dataset("b.csv")["state"] == "ACCEPTED"


def test_bad_rows_are_set_aside_with_their_reasons_and_the_others_train(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("min_rows = 500", 'min_rows = 500\nbad_rows = "set-aside"'))
    lines = people(600).decode().splitlines()
    lines[3], lines[9] = lines[3].replace("Chile", "Chile,too many"), lines[9].replace(lines[9].split(",")[0], "old", 1)
    world.drop("a.csv", ("\n".join(lines) + "\n").encode())
    world.tick()

    dataset, run = world.dataset("a.csv"), world.run()
    assert run["state"] == "PROMOTED"
    assert (dataset["rows"], dataset["good"], dataset["bad"]) == (600, 598, 2)
    assert "598 rows meet the contract; 2 of 600 do not and are set aside" in dataset["reason"]
    stored = _stored_run(world)
    assert len(world.get(stored["training_blob"]).splitlines()) == 599
    key = _key(world)[:8]
    aside = list(csv.reader(io.StringIO(world.get(f"quarantine/census/a.csv.{key}.csv").decode())))
    assert aside[0][:3] == ["(line)", "(reason)", "age"]
    assert [row[0] for row in aside[1:]] == ["4", "10"]
    assert aside[1][1] == "line 4: found 16 cells, expected 15 cells as in the header"
    assert aside[2][1] == "line 10, column 'age': found 'old', expected an integer"
    assert json.loads(world.get(f"quarantine/census/a.csv.{key}.json"))["bad"] == 2


def test_a_file_with_too_many_bad_rows_is_quarantined_whole(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("min_rows = 500", 'bad_rows = "set-aside"\nmax_bad_share = 0.01'))
    world.drop("a.csv", people(600).replace(b",Male,", b",Male,many,", 7))

    assert world.dataset("a.csv")["state"] == "QUARANTINED"
    assert world.dataset("a.csv")["reason"].startswith(
        "found 7 of 600 rows that do not meet the contract, expected at most 1.0%; the first: line 2"
    )


def test_a_row_that_goes_missing_stops_the_training(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("min_rows = 500", 'min_rows = 500\nbad_rows = "set-aside"'))
    make = world.app.arrival._accepting._training_sets.make

    def lose_a_row(model, run_id, datasets):  # type: ignore[no-untyped-def]
        (dataset,) = datasets
        object.__setattr__(dataset, "rows", dataset.rows + 1)
        return make(model, run_id, datasets)

    world.app.arrival._accepting._training_sets.make = lose_a_row  # type: ignore[method-assign]
    with pytest.raises(RowsUnaccounted, match="has 601 rows in the ledger and 600 as read"):
        world.drop("a.csv", people(600).replace(b",Male,", b",Male,many,", 1))
    assert world.service.calls == []


@pytest.mark.parametrize(
    ("rule", "state", "said", "trained"),
    [
        ("warn", "ACCEPTED", "600 rows meet the contract; 50 are also in the holdout, and would flatter a model", 600),
        ("strip", "ACCEPTED", "600 rows meet the contract; 50 are also in the holdout, left out", 550),
        ("block", "QUARANTINED", "found 50 rows of the holdout, expected none of them", 0),
    ],
)
def test_rows_that_are_also_in_the_holdout_meet_the_rule(
    world: World, tmp_path: Path, rule: str, state: str, said: str, trained: int
) -> None:
    _restart(world, tmp_path, ("min_rows = 500", f'min_rows = 500\nholdout_overlap = "{rule}"'))
    own, shared = people(550).splitlines(), world.get("holdouts/census/holdout.csv").splitlines()[1:51]
    spelled_otherwise = [line.replace(b",9,", b", 9.0,") for line in shared]
    world.drop("a.csv", b"\n".join([*own, *spelled_otherwise]) + b"\n")

    dataset = world.dataset("a.csv")
    assert (dataset["state"], dataset["holdout_overlap"]) == (state, 50)
    assert dataset["reason"].startswith(said)
    if trained:
        lines = world.get(_stored_run(world)["training_blob"]).splitlines()
        assert len(lines) == trained + 1


def test_a_file_with_another_separator_trains_as_commas(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("min_rows = 500", 'separator = ";"'))
    world.drop("a.csv", people(600).replace(b",", b";"))

    assert world.get(_stored_run(world)["training_blob"]) == people(600)


def test_a_window_closes_when_enough_rows_wait(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("[models.census.training]", _BATCHING + "min_rows = 1000\n\n[models.census.training]"))
    world.drop("a.csv", people(600, seed=1))
    assert world.dataset("a.csv")["reason"].endswith("waits for its window to close")
    assert world.app.views.runs(None)["runs"] == []

    world.drop("b.csv", people(600, seed=2))

    assert world.run()["datasets"] == ["census/a.csv", "census/b.csv"]
    assert world.dataset("a.csv")["run_id"] == world.run()["id"]
    assert "because 1200 rows are there, of at least 1000" in world.dataset("b.csv")["reason"]


def test_a_window_closes_when_its_first_file_has_waited_long_enough(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("[models.census.training]", _BATCHING + "\n[models.census.training]"))
    world.drop("a.csv", people(600, seed=1))
    world.app.scheduled.retrain_due()
    assert world.app.views.runs(None)["runs"] == []

    world.app.scheduled._gathering._clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    world.app.scheduled.retrain_due()
    world.app.scheduled.retrain_due()

    (run,) = world.app.views.runs(None)["runs"]
    assert run["datasets"] == ["census/a.csv"]
    assert "'census/a.csv' has waited for 30 min" in world.dataset("a.csv")["reason"]


def test_a_marker_takes_in_what_lies_beside_it_and_ends_the_window(world: World, tmp_path: Path) -> None:
    marker = _BATCHING + 'marker = "_SUCCESS"\n\n[models.census.training]'
    _restart(world, tmp_path, ("[models.census.training]", marker))
    world.drop("day/a.csv", people(600, seed=1))
    world.put("training-data/census/day/b.csv", people(600, seed=2))  # its event is late
    world.drop("day/_SUCCESS", b"")
    world.deliver("day/b.csv")
    world.deliver("day/_SUCCESS")

    (run,) = world.app.views.runs(None)["runs"]
    assert run["datasets"] == ["census/day/a.csv", "census/day/b.csv"]
    assert world.dataset("day/_SUCCESS")["reason"] == f"a marker: it ended the window of run '{run['id']}'"
    assert world.service.count("POST", "/start$") == 1


def test_files_that_waited_for_a_schedule_that_is_gone_train_at_the_next_tick(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600))
    _restart(world, tmp_path)

    world.app.scheduled.retrain_due()

    assert world.run()["datasets"] == ["census/a.csv"]


def test_a_waiting_file_is_held_against_the_contract_of_the_day_it_trains(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600, seed=1))
    world.drop("b.csv", people(900, seed=2))
    _restart(world, tmp_path, ("# schedule", "schedule"), ("min_rows = 500", "min_rows = 800"))

    answer = world.app.asking.retrain("census", None, "ann", "")

    assert answer["run"]["datasets"] == ["census/b.csv"]
    assert world.dataset("a.csv")["state"] == "QUARANTINED"
    assert world.dataset("a.csv")["reason"] == "found 600 rows, expected at least 800"


def test_a_file_that_waits_for_longer_than_its_schedule_explains_is_an_alarm(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600))
    world.app.sweeping._clock = lambda: datetime.now(UTC) + timedelta(days=2)

    world.app.sweeping.sweep()

    (alarm,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert alarm.startswith('dataset.overdue {"name": "census/a.csv"')
    assert "its run was due at" in alarm


def test_a_sweep_looks_only_at_what_is_new_and_once_a_day_at_everything(world: World) -> None:
    world.put("training-data/census/a.csv", people(600))
    _later(world, minutes=30)
    assert world.app.sweeping.sweep() == ["census/a.csv"]
    (row,) = [row for row in world.rows("datasets") if row["RowKey"].startswith("file:")]
    world.app.sweeping._ledger._table._table.delete_entity(row["PartitionKey"], row["RowKey"])

    assert world.app.sweeping.sweep() == []

    _later(world, minutes=30 + 24 * 60)
    assert world.app.sweeping.sweep() == ["census/a.csv"]


def test_waiting_files_are_gathered_by_one_worker_at_a_time(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("a.csv", people(600))
    app, ledger = world.app, world.app.sweeping._ledger
    now = datetime.now(UTC)
    assert ledger.hold("census", "another", now, timedelta(minutes=30))
    assert not ledger.hold("census", "a third", now + timedelta(minutes=29), timedelta(minutes=30))
    with pytest.raises(RequestRefused, match="the files of 'census' are being gathered; ask again"):
        app.asking.retrain("census", None, "ann", "")

    app.scheduled._gathering._clock = lambda: now + timedelta(minutes=31)
    assert app.asking.retrain("census", None, "ann", "")["run"]["datasets"] == ["census/a.csv"]

    ledger.let_go("census", "another")
    world.drop("b.csv", people(600, seed=2))
    assert app.asking.retrain("census", None, "ann", "")["run"]["datasets"] == ["census/b.csv"]


def test_only_files_with_something_left_to_do_are_looked_at_again(world: World, tmp_path: Path) -> None:
    _restart(world, tmp_path, ("# schedule", "schedule"))
    world.drop("broken.csv", b"x\n1\n")
    world.drop("waits.csv", people(600))
    assert [dataset.name for dataset in world.app.sweeping._ledger.waiting("census")] == ["census/waits.csv"]
    assert _rows_beginning(world, "open:") == 1

    world.app.asking.retrain("census", None, "ann", "")

    assert list(world.app.sweeping._ledger.waiting("census")) == []
    assert _rows_beginning(world, "open:") == 0
    assert _rows_beginning(world, "time:") == _rows_beginning(world, "file:") == 2


def test_states_that_the_ledger_may_end_in_are_settled() -> None:
    assert [state.value for state in DatasetState if not state.is_settled] == ["SEEN"]


_BATCHING = "[models.census.batching]\nmax_wait_min = 30\n"


def _restart(world: World, folder: Path, *changes: tuple[str, str]) -> None:
    """Start the app again with other declarations."""
    text = (ROOT / "models.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / "models.toml"
    file.write_text(text)
    evaluation = world.app.evaluation
    world.app = compose(world.environment | {"MODELS_FILE": str(file)})
    world.app.evaluation._scoring._staging._settle = evaluation._scoring._staging._settle
    world.app.evaluation._promotion._deadline = evaluation._promotion._deadline


def _later(world: World, *, minutes: int) -> None:
    for use_case in (world.app.sweeping, world.app.arrival):
        use_case._clock = lambda: datetime.now(UTC) + timedelta(minutes=minutes)


@contextmanager
def _blob(world: World, name: str) -> Iterator[BlobClient]:
    with BlobServiceClient.from_connection_string(world.storage.reveal()) as blobs:
        yield blobs.get_blob_client("training-data", f"census/{name}")


def _stored_run(world: World) -> dict[str, str]:
    (run,) = world.rows("runs")
    return run


def _rows_beginning(world: World, prefix: str) -> int:
    return sum(row["RowKey"].startswith(prefix) for row in world.rows("datasets"))


def _key(world: World) -> str:
    (row,) = [row for row in world.rows("datasets") if row["RowKey"].startswith("file:")]
    return str(row["RowKey"].removeprefix("file:"))
