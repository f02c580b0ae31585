"""A run from the dropped file to its end, with the service behaving and misbehaving."""

from __future__ import annotations

import json
import re

import pytest
from census_rows import people
from retraining_world import World


def test_a_better_model_is_promoted_proven_and_remembered(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "PROMOTED", run["reason"]
    assert [stage["state"] for stage in run["stages"]] == [
        "RECEIVED", "SUBMITTED", "TRAINING", "EVALUATING", "PROMOTING", "PROMOTED",
    ]  # fmt: skip
    assert run["verdict"]["paired"]
    assert run["verdict"]["gain"] > 0
    assert re.search(r"proven on 20 golden rows after \d+ ms|after \d+\.\d s", run["reason"])
    assert world.service.served["live"] == "quality=1.0"
    model = world.record()
    assert json.loads(model["champion"])["run_id"] == run["id"]
    (decision,) = world.rows("decisions")
    assert decision["outcome"] == "PROMOTED"


def test_a_worse_model_is_rejected_and_the_champion_stays(world: World) -> None:
    world.service.quality = 0.2

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "REJECTED"
    assert run["verdict"]["upper"] < 0
    assert "failed: gain in AUC" in run["reason"]
    assert world.service.served["live"] == "quality=0.5"
    assert world.service.count("PATCH", "/live") == 0


def test_the_same_model_again_changes_nothing(world: World) -> None:
    world.drop("a.csv", people(600, seed=1))
    world.tick()

    world.drop("b.csv", people(600, seed=2))
    world.tick()

    assert world.run()["state"] == "NO_CHANGE"
    assert world.service.count("PATCH", "/live") == 1


def test_a_holdout_that_is_not_there_fails_the_run_with_what_to_do(world: World) -> None:
    world.put("holdouts/census/holdout.csv", b"age\n1\n")

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "FAILED"
    assert "holdout-unreadable: the holdout has no label column 'income'" in world.run()["reason"]


def test_no_secret_reaches_a_table(world: World) -> None:
    world.service.faults.refused_updates = 1
    world.drop("a.csv", people(600))
    world.tick()

    everything = json.dumps([world.rows(t) for t in ("runs", "datasets", "models", "decisions")], default=str)

    assert "planted-" not in everything
    assert "sig=" not in everything
    assert "AccountKey" not in everything


@pytest.mark.parametrize(
    ("holdout", "reason"),
    [
        (people(600).replace(b"Chile", "Chilé".encode("latin-1")), "the holdout is not text in UTF-8"),
        (b"", "no label column"),
    ],
)
def test_a_holdout_that_cannot_be_read_fails_the_run(world: World, holdout: bytes, reason: str) -> None:
    world.put("holdouts/census/holdout.csv", holdout)

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "FAILED"
    assert reason in world.run()["reason"]


def test_a_blank_line_in_the_holdout_is_no_row(world: World) -> None:
    world.put("holdouts/census/holdout.csv", people(2000, seed=99) + b"\n")

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "PROMOTED"
