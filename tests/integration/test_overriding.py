"""A person puts live what the gate refused: with a reason, until it ends, and not for a run of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from census_rows import people
from deciding_steps import ask_always, declare, evaluate, promoted
from retraining_world import World

from shared.domain.deciding.decision import OVERRIDE
from shared.errors import RequestRefused


def test_a_refused_run_is_promoted_by_an_override_with_a_reason(world: World) -> None:
    world.service.quality = 0.2
    world.drop("a.csv", people(600))
    world.tick()
    refused = world.run()
    assert refused["state"] == "REJECTED"

    done = evaluate(world, world.app.rollback.override(refused["id"], "ada", "the holdout is out of date"))

    assert done["state"] == "PROMOTED", done["reason"]
    assert world.service.served["live"] == "quality=0.2"
    decision = world.app.history.decisions("census")[-1]
    assert decision.outcome == OVERRIDE
    assert "overridden to" in decision.evidence["reason"]
    assert json.loads(world.record()["champion"])["run_id"] == refused["id"]


def test_an_override_ends_at_its_time_and_the_model_before_comes_back(world: World) -> None:
    world.service.quality = 0.2
    world.drop("a.csv", people(600))
    world.tick()
    until = world.clock() + timedelta(hours=2)
    overridden = world.app.rollback.override(world.run()["id"], "ada", "for the fair", until.isoformat())
    done = evaluate(world, overridden)
    assert f"by ada until {until.isoformat()}: for the fair" in done["reason"]
    assert world.app.history.serving("census", None)["serving"]["until"] == until.isoformat()

    world.app.rollback.end_overdue()
    assert [run["kind"] for run in world.app.views.runs("census")["runs"]] == ["override", "training"]
    world.pass_time(hours=3)
    for _ in range(3):
        world.app.rollback.end_overdue()
        world.pass_time(seconds=30)
        world.tick()

    back, *before = world.app.views.runs("census")["runs"]
    assert len(before) == 2
    assert (back["kind"], back["state"], back["requested_by"]) == ("rollback", "PROMOTED", "Relearn"), back["reason"]
    assert "was until" in back["reason"]
    assert world.service.served["live"] == "quality=0.5"
    assert world.app.history.serving("census", None)["serving"]["until"] is None


def test_without_a_staging_endpoint_an_override_is_proven_by_another_answer_than_before(world: World) -> None:
    rule = world.app.evaluation._models["census"].gate
    assert rule
    declare(world, staging=None, gate=replace(rule, floors={"AUC": 0.99}))
    world.service.quality = 0.9
    world.drop("a.csv", people(600))
    world.tick()
    refused = world.run()
    assert refused["state"] == "REJECTED", refused["reason"]
    world.service.faults.lying_updates = 1

    unproven = evaluate(world, world.app.rollback.override(refused["id"], "ada", "we need it"))
    world.pass_time(minutes=1)
    done = evaluate(world, world.app.rollback.override(refused["id"], "ada", "we need it"))

    assert unproven["state"] == "ROLLED_BACK", unproven["reason"]
    assert done["state"] == "PROMOTED", done["reason"]
    assert world.service.served["live"] == "quality=0.9"


def test_the_end_of_an_override_leaves_the_last_approved_model_and_later_runs_as_they_were(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    anchor = json.loads(world.record()["anchor"])
    assert anchor["run_id"] == "initial"
    world.service.quality = 0.2
    world.drop("b.csv", people(600, seed=2))
    world.tick()
    until = world.clock() + timedelta(hours=2)
    evaluate(world, world.app.rollback.override(world.run()["id"], "ada", "for the fair", until.isoformat()))
    assert world.service.served["live"] == "quality=0.2"
    assert json.loads(world.record()["anchor"]) == anchor
    world.pass_time(hours=3)
    for _ in range(3):
        world.app.rollback.end_overdue()
        world.pass_time(seconds=30)
        world.tick()

    assert world.service.served["live"] == "quality=0.8"
    assert json.loads(world.record()["anchor"]) == anchor
    assert not json.loads(world.record()["champion"])["restored"]


def test_nobody_may_ask_in_the_apps_own_name(world: World) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 0.9, 2)

    with pytest.raises(RequestRefused, match="'Relearn' is the app itself; give your own name"):
        world.app.rollback.rollback("census", first["id"], "Relearn", "as if nobody had asked")


def test_an_override_that_something_replaced_ends_nothing(world: World) -> None:
    world.service.quality = 0.2
    world.drop("a.csv", people(600))
    world.tick()
    soon = (world.clock() + timedelta(hours=2)).isoformat()
    evaluate(world, world.app.rollback.override(world.run()["id"], "ada", "for the fair", soon))
    promoted(world, "b.csv", 0.9, 2)

    world.pass_time(hours=3)
    world.app.rollback.end_overdue()

    assert [run["kind"] for run in world.app.views.runs("census")["runs"]] == ["training", "override", "training"]


@pytest.mark.parametrize(("until", "said"), [("tomorrow", "is no instant"), ("2020-01-01T00:00:00Z", "over already")])
def test_an_override_ends_in_the_future(world: World, until: str, said: str) -> None:
    world.service.quality = 0.2
    world.drop("a.csv", people(600))
    world.tick()

    with pytest.raises(RequestRefused, match=said):
        world.app.rollback.override(world.run()["id"], "ada", "x", until)


def test_who_asked_for_a_run_may_be_kept_from_overriding_the_gate_for_it(world: World) -> None:
    world.service.quality = 0.2
    world.drop("a.csv", people(600))
    world.tick()
    runs = world.app.evaluation._stores.runs
    refused = runs.find_any(world.run()["id"])
    assert refused
    runs.save(replace(refused, requested_by="Ada"))
    ask_always(world, allow_self=False)

    with pytest.raises(RequestRefused, match="another person has to decide"):
        world.app.rollback.override(refused.id, "ada", "mine is good")

    assert world.app.rollback.override(refused.id, "bob", "hers is good")["state"] == "EVALUATING"


def test_a_run_that_was_never_scored_cannot_be_overridden(world: World) -> None:
    run = promoted(world, "a.csv", 0.8, 1)

    with pytest.raises(RequestRefused, match="only a run that the gate refused"):
        world.app.rollback.override(run["id"], "ada", "x")
