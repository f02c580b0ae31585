"""Holdouts: their budget, a new one and the one before, rows that were trained on, labels that nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from azure.storage.blob import BlobServiceClient
from census_rows import people
from deciding_steps import begin, change_gate, declare, evaluate, promoted
from retraining_world import World

from shared.domain.data.contract import Column, Kind
from shared.domain.gate import SliceRule


def test_holdout_uses_are_counted_once_a_run_and_their_budget_holds_what_follows(world: World) -> None:
    change_gate(world, holdout_budget=1)
    first = promoted(world, "a.csv", 0.8, 1)
    world.app.evaluation.evaluate("census", first["id"])
    second = evaluate(world, begin(world, "b.csv", 1.0, 2))

    assert world.record()["holdout_uses"] == 2
    assert second["state"] == "HELD"
    assert "holdout used ≤ 1 times: found 2" in second["reason"]


@pytest.mark.parametrize("change", ["a newline", "another order", "a few rows", "there and back"])
def test_a_holdout_that_is_nearly_the_same_does_not_start_its_budget_anew(world: World, change: str) -> None:
    change_gate(world, holdout_budget=2)
    rows = people(2000, seed=99).splitlines()
    other = {
        "a newline": [*rows, b""],
        "another order": [rows[0], *rows[:0:-1]],
        "a few rows": [*rows, *people(200, seed=4).splitlines()[1:]],
        "there and back": people(2000, seed=5).splitlines(),
    }[change]
    versions = [b"\n".join(rows), b"\n".join(other)]
    states = []
    for at in range(4):
        world.put("holdouts/census/holdout.csv", versions[at % 2])
        states.append(evaluate(world, begin(world, f"{at}.csv", 0.6 + at / 20, at + 1)))

    uses = [check["value"] for run in states for check in run["verdict"]["checks"] if "holdout used" in check["rule"]]
    assert uses == ([1, 1, 2, 2] if change == "there and back" else [1, 2, 3, 4])
    assert [run["state"] for run in states[:2]] == ["PROMOTED", "PROMOTED"]
    if change != "there and back":
        assert "holdout used ≤ 2 times: found 3" in states[2]["reason"]


def test_a_new_holdout_is_bridged_by_a_run_that_is_judged_on_both(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    world.put("holdouts/census/holdout.csv", people(1500, seed=5))

    bridge = promoted(world, "b.csv", 0.95, 2)
    later = evaluate(world, begin(world, "c.csv", 0.97, 3))

    assert bridge["verdict"]["n_rows"] == 1500
    assert bridge["verdict"]["bridge"]["n_rows"] == 2000
    assert bridge["verdict"]["bridge"]["state"] == "PROMOTE"
    assert later["verdict"]["bridge"] is None
    assert world.record()["holdout_uses"] == 2


def _holdout_with(world: World, rows: list[bytes]) -> None:
    own = people(2000, seed=5).splitlines()
    world.put("holdouts/census/holdout.csv", b"\n".join([*own, *rows]) + b"\n")


def test_a_new_holdout_is_looked_for_in_the_files_that_came_before_it(world: World) -> None:
    """300 of its 2,300 rows stand in the file, spelled otherwise; nobody could see that when the file came."""
    promoted(world, "a.csv", 0.8, 1)
    run = begin(world, "b.csv", 0.95, 2)
    assert world.dataset("b.csv")["holdout_overlap"] == 0
    _holdout_with(world, [row.replace(b",9,", b", 9.0,") for row in people(600, seed=2).splitlines()[1:301]])

    run = evaluate(world, run)

    assert run["state"] == "HELD", run["reason"]
    assert f"share of the holdout in the training data ≤ 0.01: found {300 / 2300:.6g}" in run["reason"]
    later = evaluate(world, begin(world, "c.csv", 0.97, 3))
    assert later["state"] == "PROMOTED", later["reason"]


def test_a_new_holdout_is_looked_for_in_what_the_champion_was_trained_on_as_long_as_that_serves(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    _holdout_with(world, people(600, seed=1).splitlines()[1:301])

    worse = evaluate(world, begin(world, "b.csv", 0.6, 2))
    better = promoted(world, "c.csv", 0.95, 3)
    after = promoted(world, "d.csv", 0.99, 4)

    assert worse["state"] == "REJECTED", worse["reason"]
    rule = "share of the holdout in the champion's training data ≤ 0.01"
    found = [
        [
            (check["value"], check["passed"], check["severity"])
            for check in run["verdict"]["checks"]
            if check["rule"] == rule
        ]
        for run in (worse, better, after)
    ]
    share = pytest.approx(300 / 2300)
    assert found == [[(share, False, "report")], [(share, False, "report")], [(0.0, True, "report")]]
    document = json.loads(world.get(better["verdict"]["evidence"]["path"]))
    assert document["circumstances"]["champion_overlap"] == share
    assert document["circumstances"]["overlap"] == 0


def test_what_the_champion_was_trained_on_is_not_asked_for_where_it_is_gone(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    world.put("training-data/census/a.csv", b"something else")
    _holdout_with(world, people(600, seed=1).splitlines()[1:301])

    run = promoted(world, "b.csv", 0.95, 2)

    assert not [check for check in run["verdict"]["checks"] if "the champion's training data" in check["rule"]]


def test_a_new_holdout_without_such_rows_is_no_reason_to_wait(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    run = begin(world, "b.csv", 0.95, 2)
    _holdout_with(world, [])

    assert evaluate(world, run)["state"] == "PROMOTED"


def test_a_new_holdout_that_cannot_be_looked_for_in_the_training_data_asks_a_person(world: World) -> None:
    """The contract has a column by now that the file had not."""
    promoted(world, "a.csv", 0.8, 1)
    run = begin(world, "b.csv", 0.95, 2)
    rows = people(2000, seed=5).decode().splitlines()
    world.put("holdouts/census/holdout.csv", "\n".join([f"{rows[0]},site", *(f"{row},N" for row in rows[1:])]).encode())
    contract = world.app.evaluation._models["census"].contract
    declare(world, contract=replace(contract, columns=(*contract.columns, Column("site", Kind.CATEGORY))))

    run = evaluate(world, run)

    assert run["state"] == "HELD", run["reason"]
    assert "the holdout's rows can be looked for in the training data (the holdout is newer than" in run["reason"]
    assert "'training-data/census/b.csv': " in run["reason"]
    assert "no column 'site'" in run["reason"]


def test_a_holdout_with_a_label_that_the_contract_does_not_know_promotes_nothing(world: World) -> None:
    contract = world.app.evaluation._models["census"].contract
    assert contract.label_values == {"<=50K", ">50K"}
    world.put("holdouts/census/holdout.csv", people(2000, seed=5).replace(b"<=50K", b">50K."))

    run = evaluate(world, begin(world, "b.csv", 0.95, 2))

    assert run["state"] == "FAILED"
    assert "label-unknown: the holdout's label '>50K.'" in run["reason"]


def test_holdouts_that_disagree_ask_a_person(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    upside_down = people(1500, seed=5).replace(b"<=50K", b"tmp").replace(b">50K", b"<=50K").replace(b"tmp", b">50K")
    world.put("holdouts/census/holdout.csv", upside_down)

    run = evaluate(world, begin(world, "b.csv", 0.3, 2))

    assert run["state"] == "HELD", run["reason"]
    assert "the new holdout says PROMOTE, the one before REJECT" in run["reason"]
    same = world.app.replaying.replay("census", {})
    lax = world.app.replaying.replay("census", {"min_gain": -1, "margin": 1, "creep_margin": 1, "floors": {}})
    assert same["flips"] == []
    assert [(flip["run_id"], flip["was"], flip["now"]) for flip in lax["flips"]] == [(run["id"], "HOLD", "PROMOTE")]


def test_a_holdout_before_that_cannot_be_judged_any_more_asks_a_person_and_blocks_nothing(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    rows = people(2000, seed=99).decode().splitlines()
    sites = [rows[0] + ",site"] + [f"{row},{'NS'[at % 2]}" for at, row in enumerate(rows[1:])]
    world.put("holdouts/census/holdout.csv", "\n".join(sites).encode() + b"\n")
    change_gate(world, slices=SliceRule(("site",), margin=0.2, min_rows=100))  # the holdout before has no such column

    bridge = evaluate(world, begin(world, "b.csv", 0.95, 2))
    later = evaluate(world, begin(world, "c.csv", 0.97, 3))

    assert bridge["state"] == "HELD", bridge["reason"]
    assert "the new holdout says PROMOTE, the one before ERROR" in bridge["reason"]
    assert "gate-column-missing: the holdout has no column 'site'" in bridge["reason"]
    assert world.app.replaying.replay("census", {})["flips"] == []
    assert later["state"] == "PROMOTED", later["reason"]


def test_a_kept_holdout_that_is_gone_asks_a_person(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    with BlobServiceClient.from_connection_string(world.storage.reveal()) as blobs:
        container = blobs.get_container_client("artifacts")
        for name in container.list_blob_names(name_starts_with="census/holdouts/"):
            container.delete_blob(name)
    world.put("holdouts/census/holdout.csv", people(1500, seed=5))

    run = evaluate(world, begin(world, "b.csv", 0.95, 2))

    assert run["state"] == "HELD", run["reason"]
    assert "holdout-missing: the kept holdout" in run["reason"]


def test_a_holdout_that_is_not_there_fails_the_run_by_name(world: World) -> None:
    declare(world, holdout="census/nowhere.csv")

    run = evaluate(world, begin(world, "a.csv", 0.8, 1))

    assert run["state"] == "FAILED"
    assert "holdout-missing: there is no 'census/nowhere.csv' in the container 'holdouts'" in run["reason"]


def test_holdout_rows_that_trained_hold_the_run(world: World) -> None:
    shared = people(2000, seed=99).splitlines(keepends=True)[: 1 + 40]
    world.service.quality = 1.0
    world.drop("a.csv", b"".join(shared) + people(600).partition(b"\n")[2])
    world.tick()

    run = world.run()
    assert run["state"] == "HELD", run["reason"]
    assert "share of the holdout in the training data ≤ 0.01: found 0.02" in run["reason"]
