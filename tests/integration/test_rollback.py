"""A model that has served comes back: proven, recorded, and never over what was promoted meanwhile."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from deciding_steps import begin, evaluate, promoted
from retraining_world import World

from shared.domain.deciding.decision import ROLLBACK
from shared.errors import RequestRefused


def test_a_model_that_makes_live_answer_nothing_but_errors_is_rolled_back_by_a_person_too(world: World) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 0.9, 2)
    error = {"error": {"code": "InternalError", "message": "x", "details": [{"code": "x", "message": "x"}]}}
    world.service.faults.scoring = lambda name, model, right: (500, error) if model == "quality=0.9" else None

    back = evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "it only fails"))

    assert back["state"] == "PROMOTED", back["reason"]
    assert world.service.served["live"] == "quality=0.8"


def test_a_rollback_brings_the_model_before_back_and_is_proven_and_recorded(world: World) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 1.0, 2)

    asked = world.app.rollback.rollback("census", None, "ada", "complaints about b")
    done = evaluate(world, asked)

    assert done["state"] == "PROMOTED", done["reason"]
    assert f"rolled back to '{first['id']}' by ada: complaints about b; proven on" in done["reason"]
    assert world.service.served["live"] == "quality=0.8"
    decision = world.app.history.decisions("census")[-1]
    assert decision.outcome == ROLLBACK
    assert decision.evidence["champion_after"]["run_id"] == first["id"]
    assert decision.evidence["requested_by"] == "ada"


@pytest.mark.parametrize("name_it", [lambda runs: "initial", lambda runs: runs[0]["id"], lambda runs: "0"])
def test_any_model_that_has_served_can_come_back(world: World, name_it: Callable[[list[Any]], str]) -> None:
    runs = [promoted(world, f"{q}.csv", q, seed) for seed, q in enumerate((0.7, 0.85, 1.0))]
    target = name_it(runs)

    done = evaluate(world, world.app.rollback.rollback("census", target, "ada", "why not"))

    assert done["state"] == "PROMOTED", done["reason"]
    assert world.service.served["live"] == ("quality=0.5" if target == "initial" else "quality=0.7")


def test_a_rollback_does_not_undo_what_was_promoted_after_it_was_asked_for(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    second = promoted(world, "b.csv", 0.9, 2)
    late = begin(world, "late.csv", 1.0, 3)
    asked = world.app.rollback.rollback("census", None, "ada", "complaints about b")
    assert evaluate(world, late)["state"] == "PROMOTED"

    done = evaluate(world, asked)

    assert done["state"] == "SUPERSEDED"
    assert done["reason"] == f"'{late['id']}' went live after ada had asked; ask again if it is to go"
    assert world.service.served["live"] == "quality=1.0"
    assert done["judged_champion"] == second["id"]


def test_a_rollback_that_changes_nothing_leaves_the_champion(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    second = promoted(world, "b.csv", 1.0, 2)
    world.service.faults.lying_updates = 1

    done = evaluate(world, world.app.rollback.rollback("census", None, "ada", "complaints"))

    assert done["state"] == "ROLLED_BACK"
    assert world.service.served["live"] == "quality=1.0"
    assert json.loads(world.record()["champion"])["run_id"] == second["id"]


def test_a_run_that_began_before_a_rollback_is_held(world: World) -> None:
    promoted(world, "a.csv", 0.7, 1)
    promoted(world, "b.csv", 0.8, 2)
    late = begin(world, "late.csv", 1.0, 3)
    evaluate(world, world.app.rollback.rollback("census", None, "ada", "b is wrong"))

    done = evaluate(world, late)

    assert done["state"] == "HELD"
    assert "a person brought" in done["reason"]
    assert world.service.served["live"] == "quality=0.7"


@pytest.mark.parametrize(
    ("model", "to", "by", "reason", "said", "status"),
    [
        ("nothing", None, "ada", "x", "there is no model 'nothing'", 404),
        ("census", None, "", "x", "say who asks and why", 400),
        ("census", None, "ada", " ", "say who asks and why", 400),
        ("census", "census-unknown", "ada", "x", "has never served", 409),
        ("census", "99", "ada", "x", "has never served", 409),
    ],
)
def test_a_rollback_that_cannot_be_says_why(
    world: World, model: str, to: str | None, by: str, reason: str, said: str, status: int
) -> None:
    promoted(world, "a.csv", 0.8, 1)

    with pytest.raises(RequestRefused, match=said) as refused:
        world.app.rollback.rollback(model, to, by, reason)

    assert refused.value.status == status


def test_there_is_nothing_to_go_back_to_before_the_first_promotion(world: World) -> None:
    with pytest.raises(RequestRefused, match="still serves the model that was published"):
        world.app.rollback.rollback("census", None, "ada", "x")


def test_a_way_back_that_no_kept_row_can_show_says_so(world: World) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 1.0, 2)
    world.service.served["live"] = "quality=0.8"  # somebody else was there first

    back = evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "x"))

    assert back["state"] == "PROMOTED"
    assert re.search(
        r"golden rows after (\d+ ms|\d+\.\d s), none of which the model before answered otherwise$", back["reason"]
    )
    rows = csv.DictReader(io.StringIO(world.app.history.decisions_csv("census"), newline=""))
    assert [row["golden_rows_tell"] for row in rows] == ["True", "True", "False"]
