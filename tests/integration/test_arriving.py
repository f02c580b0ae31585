"""A file arrives: it trains once, whatever its name and however often its event comes; or it says why not."""

from __future__ import annotations

import json

from census_rows import people
from classic_service import Faults
from retraining_world import World


def test_the_same_bytes_under_another_name_start_nothing(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    submitted = world.service.count("POST", "/jobs$")

    world.drop("b.csv", people(600))
    world.tick()

    assert world.dataset("b.csv")["state"] == "DUPLICATE"
    assert world.dataset("b.csv")["duplicate_of"] == "census/a.csv"
    assert world.service.count("POST", "/jobs$") == submitted == 1


def test_a_second_delivery_of_a_file_starts_nothing(world: World) -> None:
    world.drop("a.csv", people(600))

    world.deliver("a.csv")
    world.tick()
    world.deliver("a.csv")

    assert len(world.app.views.runs(None)["runs"]) == 1
    assert world.service.count("POST", "/start$") == 1


def test_new_bytes_under_an_old_name_are_a_file_of_their_own(world: World) -> None:
    world.drop("a.csv", people(600, seed=1))
    world.tick()
    world.service.quality = 0.9

    world.drop("a.csv", people(600, seed=2))
    world.tick()

    assert len(world.app.views.runs(None)["runs"]) == 2


def test_a_broken_file_is_quarantined_with_its_reasons_beside_it(world: World) -> None:
    world.drop("broken.csv", people(600).replace(b",Male,", b",Male,many,", 1))

    dataset = world.dataset("broken.csv")
    assert dataset["state"] == "QUARANTINED"
    assert dataset["problems"][0]["line"] == 2
    assert "expected 15 cells" in dataset["reason"]
    (kept,) = [row for row in world.rows("datasets") if row["RowKey"].startswith("file:")]
    document = json.loads(world.get(f"quarantine/census/broken.csv.{kept['RowKey'][5:13]}.json"))
    assert document["problems"] == dataset["problems"]
    assert world.service.calls == []


def test_a_file_in_a_folder_that_no_model_declares_is_quarantined(world: World) -> None:
    world.put("training-data/cencus/a.csv", people(600))
    world.app.arrival.receive(world.app.evaluation._stores.blobs.blob("training-data/cencus/a.csv"))

    (dataset,) = world.app.views.datasets(None)["datasets"]
    assert dataset["state"] == "QUARANTINED"
    assert dataset["reason"] == "no model in models.toml has the folder 'cencus'; declared are 'census/'"


def test_a_header_of_any_length_is_quarantined(world: World) -> None:
    world.drop("a.csv", b"a" * 100_000 + b"\n1\n")

    assert world.dataset("a.csv")["state"] == "QUARANTINED"


def test_a_file_whose_run_came_to_nothing_trains_when_it_is_dropped_again(world: World) -> None:
    world.service.faults = Faults(job_status="Failed", details="out of memory")
    world.drop("a.csv", people(600))
    world.tick()
    assert world.run()["state"] == "FAILED"

    world.service.faults = Faults()
    world.drop("again.csv", people(600))
    world.tick()
    world.drop("third.csv", people(600))

    assert world.run()["state"] == "PROMOTED"
    assert world.dataset("again.csv")["state"] == "ACCEPTED"
    assert world.dataset("third.csv")["duplicate_of"] == "census/again.csv"
