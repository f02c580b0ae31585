"""A held run waits for a person, is decided once, and not by who asked for it where that is forbidden."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from census_rows import people
from deciding_steps import ask_always, begin, declare, evaluate, held, promoted
from retraining_world import World

from shared.domain.deciding.approval import Approval, AskWhen
from shared.errors import RequestRefused


def test_a_held_run_changes_nothing_until_a_person_approves(world: World) -> None:
    run = held(world)
    world.tick()
    world.app.evaluation.evaluate("census", run["id"])
    assert world.service.count("PATCH", "/live") == 0

    world.app.approvals.approve(run["id"], "ada", "looked at it")
    done = evaluate(world, run)

    assert done["state"] == "PROMOTED"
    assert "approved by ada: looked at it" in done["reason"]
    assert world.service.served["live"] == "quality=1.0"
    decisions = world.app.history.decisions("census")
    assert [link.outcome for link in decisions] == ["HELD", "PROMOTED"]
    assert decisions[1].evidence["approval"]["by"] == "ada"
    assert json.loads(world.record()["anchor"])["run_id"] == run["id"]


def test_a_rejected_run_ends_with_who_and_why(world: World) -> None:
    run = held(world)

    world.app.approvals.reject(run["id"], "ada", "the data are from a test")
    done = evaluate(world, run)

    assert done["state"] == "REJECTED"
    assert done["reason"] == "rejected by ada: the data are from a test"
    assert world.service.count("PATCH", "/live") == 0
    assert world.app.history.decisions("census")[-1].evidence["approval"]["decision"] == "reject"


@pytest.mark.parametrize("decide", ["approve", "reject"])
def test_a_run_is_decided_once(world: World, decide: str) -> None:
    run = held(world)
    getattr(world.app.approvals, decide)(run["id"], "ada", "first")

    with pytest.raises(RequestRefused, match="only a HELD run is decided") as refused:
        world.app.approvals.approve(run["id"], "bob", "second")
    assert refused.value.status == 409


def test_who_asked_for_a_run_may_be_kept_from_approving_it(world: World) -> None:
    run = held(world)
    ask_always(world, allow_self=False)
    runs = world.app.evaluation._stores.runs
    stored = runs.find_any(run["id"])
    assert stored
    runs.save(replace(stored, requested_by="Ada"))

    with pytest.raises(RequestRefused, match="another person has to decide") as refused:
        world.app.approvals.approve(run["id"], "ada", "mine is good")

    assert refused.value.status == 403
    assert world.app.approvals.approve(run["id"], "bob", "hers is good")["state"] == "PROMOTING"


def test_an_approval_on_evidence_against_another_champion_does_not_count(world: World) -> None:
    run = held(world)
    records = world.app.evaluation._stores.records
    record = records.load("census")
    assert record.champion
    records.save(replace(record, champion=replace(record.champion, run_id="census-other")))

    moved = world.app.approvals.approve(run["id"], "ada", "fine")
    again = evaluate(world, run)

    assert moved["state"] == "EVALUATING"
    assert again["state"] == "HELD"
    assert again["approval"] is None
    assert world.service.count("PATCH", "/live") == 0
    assert [link.outcome for link in world.app.history.decisions("census")] == ["HELD", "HELD"]


def test_nobody_is_asked_where_approval_is_never(world: World) -> None:
    declare(world, approval=Approval(AskWhen.NEVER))
    promoted(world, "a.csv", 0.8, 1)
    first = promoted(world, "b.csv", 0.9, 2)
    late = begin(world, "late.csv", 1.0, 3)
    evaluate(world, world.app.rollback.rollback("census", None, "ada", "b is wrong"))

    done = evaluate(world, late)

    assert done["state"] == "REJECTED"
    assert "so nobody is asked" in done["reason"]
    assert first["id"] != done["id"]


@pytest.mark.parametrize(("metadata", "counts"), [({"uploaded_by": "Ada"}, True), (None, False)])
def test_who_uploaded_a_file_may_not_approve_its_run_where_the_file_says_who_that_was(
    world: World, metadata: dict[str, str] | None, counts: bool
) -> None:
    ask_always(world, allow_self=False)
    world.put("training-data/census/a.csv", people(600), metadata)
    world.deliver("a.csv")
    world.tick()
    held = world.run()
    assert held["state"] == "HELD"

    if counts:
        with pytest.raises(RequestRefused, match="'ada' asked for this run, or uploaded a file of it"):
            world.app.approvals.approve(held["id"], "ada", "mine")
    world.app.approvals.approve(held["id"], "bob" if counts else "ada", "looked at it")

    assert world.run()["state"] == "PROMOTING"
