"""A promotion is proven, taken back, or given up for newer data; nothing else changes what serves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from census_rows import people
from deciding_steps import begin, declare, evaluate
from retraining_world import World

from shared.domain.gate import SliceRule
from shared.errors import EvaluationError


def test_a_run_of_as_many_files_as_may_train_together_is_promoted_and_recorded(world: World) -> None:
    """Its names and keys are longer than one property of a table's row may be."""
    run = begin(world, "a.csv", 0.9, 1)
    runs = world.app.evaluation._stores.runs
    stored = runs.find("census", run["id"])
    assert stored
    names = tuple(f"census/{'x' * 35}-{at:03}.csv" for at in range(500))
    runs.save(replace(stored, datasets=names, dataset_keys=tuple(f"{at:032x}" for at in range(500))))

    done = evaluate(world, run)

    assert done["state"] == "PROMOTED", done["reason"]
    serving = world.app.history.serving("census", None)["serving"]
    assert serving["run_id"] == run["id"]
    assert tuple(serving["files"]) == names
    assert world.app.history.verify("census")["whole"]


def test_a_verdict_on_many_slices_is_kept_whole(world: World) -> None:
    rows = people(3000, seed=99).decode().splitlines()
    places = (f",{'s' * 40}{at % 45},{'t' * 40}{at % 49}" for at in range(3000))
    shops = [f"{rows[0]},shop,site", *(row + place for row, place in zip(rows[1:], places, strict=True))]
    world.put("holdouts/census/holdout.csv", "\n".join(shops).encode() + b"\n")
    rule = world.app.evaluation._models["census"].gate
    assert rule
    declare(world, gate=replace(rule, slices=SliceRule(("shop", "site"), margin=0.9, min_rows=10)))

    run = evaluate(world, begin(world, "a.csv", 0.95, 2))

    assert run["state"] == "PROMOTED", run["reason"]
    assert len(run["verdict"]["slices"]) == 94
    assert len(world.app.history.decisions("census")[-1].evidence["verdict"]["slices"]) == 94


def test_an_update_that_answers_200_and_changes_nothing_is_rolled_back(world: World) -> None:
    world.service.faults.lying_updates = 1

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "ROLLED_BACK"
    assert "did not give the challenger's answers" in run["reason"]
    assert "champion 'initial' is back" in run["reason"]
    assert world.service.served["live"] == "quality=0.5"
    model = world.record()
    assert json.loads(model["champion"])["run_id"] == "initial"


@pytest.mark.parametrize("fault", ["500", "columns", "order"])
def test_a_model_that_fails_on_live_is_rolled_back_within_the_deadline(world: World, fault: str) -> None:
    """On staging it answered as it should: what differs is the endpoint."""

    def spoilt(endpoint: str, model: str, answer: Any) -> tuple[int, Any] | None:
        if endpoint != "live" or model != "quality=0.9":
            return None
        if fault == "500":
            return 500, {"error": {"code": "InternalError", "message": "x", "details": [{"code": "x", "message": "x"}]}}
        value = dict(answer["Results"]["output1"]["value"])
        if fault == "columns":
            value["ColumnNames"] = [name.replace("Scored Probabilities", "Answer") for name in value["ColumnNames"]]
        else:
            value["Values"] = value["Values"][::-1]
        return 200, {"Results": {"output1": {"type": "table", "value": value}}}

    world.service.faults.scoring = spoilt

    run = evaluate(world, begin(world, "a.csv", 0.9, 1))

    assert run["state"] == "ROLLED_BACK", run["reason"]
    assert "the live endpoint did not give the challenger's answers within" in run["reason"]
    said = {"500": "(500 x)", "columns": "Scored Probabilities", "order": "in another order"}[fault]
    assert said in run["reason"]
    assert world.service.served["live"] == "quality=0.5"


def test_a_refused_update_leaves_the_champion(world: World) -> None:
    world.service.faults.refused_updates = 1

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "ROLLED_BACK"
    assert "ModelOutputMetadataMismatch" in run["reason"]
    assert world.service.served["live"] == "quality=0.5"


def test_a_champion_that_is_not_seen_to_be_back_keeps_the_run_open_until_it_is(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def corrupt(name: str) -> None:
        if name == "live":
            world.service.served["live"] = "quality=0.1"

    world.service.faults.lying_updates = 2
    world.service.before_update = corrupt
    world.drop("a.csv", people(600))
    with pytest.raises(EvaluationError, match="was not seen to give the champion's answers"):
        world.tick()
    assert world.run()["state"] == "RESTORING"
    assert "promotion.restore_unproven" in caplog.text  # an alert rule looks for it

    world.app.evaluation.evaluate("census", world.run()["id"])

    assert world.run()["state"] == "ROLLED_BACK"
    assert world.service.served["live"] == "quality=0.5"


def test_an_older_run_does_not_replace_a_champion_from_newer_data(world: World) -> None:
    world.drop("old.csv", people(600, seed=1))
    older = world.hand_over()
    world.service.quality = 0.9
    world.drop("new.csv", people(600, seed=2))
    world.tick()
    assert world.run()["state"] == "PROMOTED"

    world.app.evaluation.evaluate("census", older)

    runs = {run["id"]: run for run in world.app.views.runs(None)["runs"]}
    assert runs[older]["state"] == "SUPERSEDED"
    assert world.service.served["live"] == "quality=0.9"


def test_a_file_replaced_while_it_trains_promotes_nothing(world: World) -> None:
    world.drop("a.csv", people(600, seed=1))
    world.put("training-data/census/a.csv", people(600, seed=2))

    world.tick()

    assert world.run()["state"] == "SUPERSEDED"
    assert "was replaced while it trained" in world.run()["reason"]
    assert world.service.count("PATCH", "") == 0


def test_a_promotion_judged_against_another_champion_is_judged_again(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()
    stores = world.app.evaluation._stores

    def usurp(name: str) -> None:
        if name == "staging":
            record = stores.records.load("census")
            assert record.champion
            stores.records.save(replace(record, champion=replace(record.champion, run_id="census-other")))

    world.service.before_update = usurp
    world.app.evaluation.evaluate("census", run_id)

    assert world.run()["state"] == "EVALUATING"
    assert world.service.served["live"] == "quality=0.5"  # what serves was put back, in case a PATCH had been sent


def test_a_champion_that_is_put_back_for_another_judgement_is_seen_to_serve_first(world: World) -> None:
    world.service.quality = 0.8
    world.drop("first.csv", people(600, seed=1))
    world.tick()
    world.service.quality = 0.95
    world.drop("a.csv", people(600, seed=2))
    run_id = world.hand_over()
    records = world.app.evaluation._stores.records

    def usurp(name: str) -> None:
        if name == "live":  # its own PATCH is on the way while another run makes a champion
            record = records.load("census")
            assert record.champion
            records.save(replace(record, champion=replace(record.champion, run_id="census-other")))
            world.service.before_update = lie

    def lie(name: str) -> None:
        world.service.faults.lying_updates = 1
        world.service.before_update = lambda name: None

    world.service.before_update = usurp
    with pytest.raises(EvaluationError, match="was not seen to give the champion's answers"):
        world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "PROMOTING"
    assert world.service.served["live"] == "quality=0.95"

    world.app.evaluation.evaluate("census", run_id)

    assert world.run()["state"] == "EVALUATING"
    assert world.service.served["live"] == "quality=0.8"


def test_models_that_no_row_tells_apart_are_never_promoted(world: World) -> None:
    world.service.quality = 0.5 + 1e-9  # other bytes, other answers, and nothing to prove a promotion by

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "NO_CHANGE", world.run()["reason"]
    assert world.service.count("PATCH", "/live") == 0
