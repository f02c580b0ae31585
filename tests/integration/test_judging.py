"""What runs are judged on: evidence that is kept, answers that judge nothing, the last approved model, slices."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from census_rows import people
from deciding_steps import ask_always, begin, change_gate, declare, evaluate, promoted
from retraining_world import World

from shared.domain.gate import GateRule, MetricRule, SliceRule
from shared.errors import RequestRefused
from shared.secret import Secret


def test_a_changed_rule_shows_which_past_verdicts_would_flip(world: World) -> None:
    good = promoted(world, "a.csv", 0.8, 1)
    world.service.quality = 0.2
    world.drop("b.csv", people(600, seed=2))
    world.tick()
    bad = world.run()
    replay = world.app.replaying.replay

    same, strict = replay("census", {}), replay("census", {"min_gain": 0.9})
    lax = replay("census", {"min_gain": -1, "margin": 1, "creep_margin": 1, "floors": {}})

    assert same["flips"] == []
    assert same["replayed"] == 2
    assert [(flip["run_id"], flip["was"], flip["now"]) for flip in strict["flips"]] == [
        (good["id"], "PROMOTE", "REJECT")
    ]
    assert [(flip["run_id"], flip["now"]) for flip in lax["flips"]] == [(bad["id"], "PROMOTE")]
    assert world.service.served["live"] == "quality=0.8"


@pytest.mark.parametrize(("model", "changes", "status"), [("nothing", {}, 404), ("census", {"margine": 1}, 400)])
def test_a_replay_that_cannot_be_says_why(world: World, model: str, changes: dict[str, Any], status: int) -> None:
    with pytest.raises(RequestRefused) as refused:
        world.app.replaying.replay(model, changes)
    assert refused.value.status == status


def _value(answer: Any) -> dict[str, Any]:
    return dict(answer["Results"]["output1"]["value"])


def _with(answer: Any, **parts: Any) -> tuple[int, Any]:
    return 200, {"Results": {"output1": {"type": "table", "value": _value(answer) | parts}}}


def _reversed(answer: Any) -> tuple[int, Any]:
    return _with(answer, Values=_value(answer)["Values"][::-1])


def _one_less(answer: Any) -> tuple[int, Any]:
    return _with(answer, Values=_value(answer)["Values"][1:])


def _unscored(answer: Any) -> tuple[int, Any]:
    names = [name.replace("Scored Probabilities", "Answer") for name in _value(answer)["ColumnNames"]]
    return _with(answer, ColumnNames=names)


def _refused(answer: Any) -> tuple[int, Any]:
    return 400, {"error": {"code": "BadArgument", "message": "no", "details": [{"code": "x", "message": "no"}]}}


@pytest.mark.parametrize(
    ("endpoint", "answer", "fault"),
    [
        ("live", _reversed, "rows-do-not-match: champion: "),
        ("staging", _reversed, "rows-do-not-match: challenger: "),
        ("live", _one_less, "rows-do-not-match: champion: "),
        ("live", _unscored, "champion-unscorable: "),
        ("staging", _unscored, "challenger-unscorable: "),
        ("live", _refused, "champion-unscorable: "),
        ("staging", _refused, "challenger-unscorable: "),
    ],
)
def test_answers_that_judge_nothing_are_an_error_by_name_wherever_it_is_shown(
    world: World, endpoint: str, answer: Any, fault: str
) -> None:
    promoted(world, "a.csv", 0.8, 1)
    spoilt = {"live": "quality=0.8", "staging": "quality=0.95"}[endpoint]
    world.service.faults.scoring = lambda name, model, right: (
        answer(right) if name == endpoint and model == spoilt and len(_value(right)["Values"]) > 100 else None
    )

    run = evaluate(world, begin(world, "b.csv", 0.95, 2))

    assert run["state"] == "FAILED"
    assert run["reason"].startswith(f"the challenger could not be judged: {fault}")
    assert (run["verdict"]["outcome"], run["verdict"]["fault"]) == ("ERROR", fault.partition(":")[0])
    assert world.app.history.decisions("census")[-1].evidence["verdict"]["outcome"] == "ERROR"
    assert world.service.served["live"] == "quality=0.8"
    assert world.app.replaying.replay("census", {})["flips"] == []


def test_a_broken_model_on_staging_is_no_fault_of_the_next(world: World) -> None:
    world.service.faults.scoring = lambda name, model, right: _refused(right) if model == "quality=0.7" else None
    broken = evaluate(world, begin(world, "a.csv", 0.7, 1))
    assert "challenger-unscorable" in broken["reason"]

    assert promoted(world, "b.csv", 0.9, 2)["state"] == "PROMOTED"


def test_losses_that_add_up_are_seen_against_the_last_approved_model(world: World) -> None:
    ask_always(world)
    approved = evaluate(world, begin(world, "a.csv", 1.0, 1))
    world.app.approvals.approve(approved["id"], "ada", "good")
    evaluate(world, approved)
    tolerant = MetricRule("AUC", margin=0.2, min_gain=-1)
    declare(world, approval=type(world.app.evaluation._models["census"].approval)())
    change_gate(world, metrics=(tolerant,), creep_margin=0.01, floors={})
    promoted(world, "b.csv", 0.85, 2)

    creeping = evaluate(world, begin(world, "c.csv", 0.6, 3))

    assert creeping["state"] == "REJECTED", creeping["verdict"]["anchor"]
    assert "against the last approved model" in creeping["reason"]
    assert creeping["verdict"]["anchor"]["champion"] > creeping["verdict"]["champion"]


def test_a_new_holdout_asks_the_last_approved_model_anew(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    world.put("holdouts/census/holdout.csv", people(1500, seed=5))

    run = promoted(world, "b.csv", 0.95, 2)

    assert run["verdict"]["anchor"]["name"] == "published model"
    assert run["verdict"]["anchor"]["n_rows"] == 1500
    assert run["verdict"]["anchor"]["champion"] < run["verdict"]["champion"]  # the published model


def test_the_last_approved_model_is_asked_once_for_each_holdout(world: World) -> None:
    for number, quality in enumerate((0.7, 0.8, 0.9)):
        run = promoted(world, f"{number}.csv", quality, number)

    assert run["verdict"]["anchor"]["name"] == "published model"
    assert world.service.count("PATCH", "/staging") == 3  # the challengers: its answers were known from the first run


def test_answers_that_are_no_numbers_are_not_taken_for_the_last_approved_models(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    store, (run,) = world.app.reporting._evidence, world.app.evaluation._stores.runs.all("census")
    evidence = store.load(run)
    assert evidence
    unknown = replace(evidence.scores["champion"], answers=evidence.scores["champion"].answers * float("nan"))
    store.save(run, replace(evidence, scores=evidence.scores | {"champion": unknown}))

    later = promoted(world, "b.csv", 0.95, 2)

    assert later["verdict"]["anchor"]["n_rows"] == 2000  # it was put on staging and asked anew
    assert world.service.count("PATCH", "/staging") == 3


def test_slices_are_judged_and_columns_beyond_the_contract_stay_home(world: World) -> None:
    rows = people(2000, seed=99).decode().splitlines()
    extended = [rows[0] + ",household,site"] + [f"{row},{at // 2},{'NS'[at % 2]}" for at, row in enumerate(rows[1:])]
    world.put("holdouts/census/holdout.csv", "\n".join(extended).encode() + b"\n")
    change_gate(world, slices=SliceRule(("site",), margin=0.2, min_rows=100), group="household")

    run = promoted(world, "a.csv", 1.0, 1)

    assert [part["state"] for part in run["verdict"]["slices"]] == ["passed", "passed"]
    assert run["verdict"]["rule"]["group"] == "household"


def test_the_decision_seals_the_evidence(world: World) -> None:
    run = promoted(world, "a.csv", 1.0, 1)
    (decision,) = world.app.history.decisions("census")

    sealed = decision.evidence["verdict"]["evidence"]

    assert sealed["path"] == f"artifacts/census/{run['id']}/evidence.json"
    document = world.get(sealed["path"])
    assert hashlib.sha256(document).hexdigest() == sealed["sha256"]
    assert json.loads(document)["scores"]  # what both models answered is sealed with the rest


def test_the_bytes_of_a_promotion_that_was_rolled_back_are_not_tried_again(world: World) -> None:
    world.service.faults.lying_updates = 1
    assert evaluate(world, begin(world, "a.csv", 1.0, 1))["state"] == "ROLLED_BACK"

    world.drop("again.csv", people(600, seed=1))

    assert world.dataset("again.csv")["state"] == "DUPLICATE"
    assert world.service.served["live"] == "quality=0.5"


def test_a_link_decides_once_and_says_who_was_asked(world: World) -> None:
    world.app.approvals._secret = Secret("s" * 40)
    ask_always(world)
    run = evaluate(world, begin(world, "a.csv", 1.0, 1))
    stored = world.app.evaluation._stores.runs.find_any(run["id"])
    assert stored
    token = world.app.approvals.token(stored, "ada@example.org", timedelta(hours=1))

    world.app.approvals.decide_by_link(token, "approve", "fine")
    done = evaluate(world, run)

    assert done["state"] == "PROMOTED"
    assert (done["approval"]["by"], done["approval"]["via"]) == ("ada@example.org", "link")
    with pytest.raises(RequestRefused, match="was decided already"):
        world.app.approvals.decide_by_link(token, "reject", "again")


def test_a_link_sent_to_nobody_by_name_asks_who_decides_where_nobody_may_approve_a_run_of_their_own(
    world: World,
) -> None:
    world.app.approvals._secret = Secret("s" * 40)
    ask_always(world, allow_self=False)
    run = evaluate(world, begin(world, "a.csv", 1.0, 1))
    stored = world.app.evaluation._stores.runs.find_any(run["id"])
    assert stored
    token = world.app.approvals.token(stored, "", timedelta(hours=1))

    with pytest.raises(RequestRefused, match="say who decides"):
        world.app.approvals.decide_by_link(token, "approve", "fine", " ")
    assert world.app.approvals.decide_by_link(token, "approve", "fine", "ada")["approval"]["by"] == "ada"


def test_a_link_does_not_let_who_asked_for_a_run_approve_it_under_their_own_name(world: World) -> None:
    world.app.approvals._secret = Secret("s" * 40)
    ask_always(world, allow_self=False)
    asked = begin(world, "a.csv", 1.0, 1)
    runs = world.app.evaluation._stores.runs
    begun = runs.find_any(asked["id"])
    assert begun
    runs.save(replace(begun, requested_by="ada"))
    held = runs.find_any(evaluate(world, asked)["id"])
    assert held
    token = world.app.approvals.token(held, "", timedelta(hours=1))

    with pytest.raises(RequestRefused, match="'Ada' asked for this run") as refused:
        world.app.approvals.decide_by_link(token, "approve", "fine", "Ada")

    assert refused.value.status == 403
    assert world.app.approvals.decide_by_link(token, "reject", "not good", "ada")["approval"]["by"] == "ada"


def test_there_are_no_links_without_a_secret(world: World) -> None:
    ask_always(world)
    run = evaluate(world, begin(world, "a.csv", 1.0, 1))
    stored = world.app.evaluation._stores.runs.find_any(run["id"])
    assert stored

    assert world.app.approvals.token(stored, "ada", timedelta(hours=1)) == ""
    with pytest.raises(RequestRefused, match="not valid"):
        world.app.approvals.decide_by_link("x.y", "approve", "fine")


def test_a_rule_reads_back_from_what_a_verdict_says_of_it(world: World) -> None:
    rule = world.app.evaluation._models["census"].gate

    assert isinstance(rule, GateRule)
    assert world.app.replaying.replay("census", {})["rule"] == rule.as_json()
