"""What runs are judged on: evidence that is kept, holdouts that change, the last approved model, missing endpoints."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from census_rows import people
from deciding_steps import ask_always, begin, declare, evaluate, promoted
from markupsafe import escape
from retraining_world import World

from shared.domain.data.contract import Column, Kind
from shared.domain.gate import GateRule, MetricRule, Policy, SliceRule
from shared.errors import RequestRefused
from shared.secret import Secret


def gate(world: World, **changes: Any) -> None:
    rule = world.app.evaluation._models["census"].gate
    assert rule
    declare(world, gate=replace(rule, **changes))


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


def test_holdout_uses_are_counted_once_a_run_and_their_budget_holds_what_follows(world: World) -> None:
    gate(world, holdout_budget=1)
    first = promoted(world, "a.csv", 0.8, 1)
    world.app.evaluation.evaluate("census", first["id"])
    second = evaluate(world, begin(world, "b.csv", 1.0, 2))

    assert world.record()["holdout_uses"] == 2
    assert second["state"] == "HELD"
    assert "holdout used ≤ 1 times: found 2" in second["reason"]


@pytest.mark.parametrize("change", ["a newline", "another order", "a few rows", "there and back"])
def test_a_holdout_that_is_nearly_the_same_does_not_start_its_budget_anew(world: World, change: str) -> None:
    gate(world, holdout_budget=2)
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
    gate(world, slices=SliceRule(("site",), margin=0.2, min_rows=100))  # the holdout before has no such column

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


def test_without_a_staging_endpoint_live_has_to_answer_otherwise_and_the_way_back_is_kept(world: World) -> None:
    declare(world, staging=None)
    first = promoted(world, "a.csv", 0.8, 1)
    second = promoted(world, "b.csv", 1.0, 2)

    assert first["reason"].startswith("UNPAIRED: no staging endpoint")
    assert world.service.count("PATCH", "/staging") == 0
    back = evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "x"))
    assert back["state"] == "PROMOTED", back["reason"]
    assert world.service.served["live"] == "quality=0.8"
    assert second["verdict"]["paired"] is False


def test_without_a_staging_endpoint_an_update_that_changes_nothing_is_rolled_back(world: World) -> None:
    declare(world, staging=None)
    world.service.faults.lying_updates = 1

    run = evaluate(world, begin(world, "a.csv", 0.8, 1))

    assert run["state"] == "ROLLED_BACK"
    assert run["reason"].startswith("UNPAIRED: ")
    assert ",ROLLED_BACK," in world.app.history.decisions_csv("census")
    assert "UNPAIRED: " in world.app.history.decisions_csv("census")
    assert world.service.served["live"] == "quality=0.5"


@pytest.mark.parametrize(
    ("policy", "state"),
    [(Policy.ABSOLUTE_ONLY, "PROMOTED"), (Policy.APPROVAL, "HELD"), (Policy.REFUSE, "REJECTED")],
)
@pytest.mark.parametrize("situation", ["first", "no holdout"])
def test_what_cannot_be_compared_follows_its_policy(world: World, policy: Policy, state: str, situation: str) -> None:
    if situation == "first":
        gate(world, first_model=policy)
    else:
        gate(world, unpaired=policy)
        declare(world, holdout="")

    run = evaluate(world, begin(world, "a.csv", 0.8, 1))

    assert run["state"] == state, run["reason"]
    assert "UNPAIRED" in run["reason"]


def _rows_of_csv(world: World) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(world.app.history.decisions_csv("census"), newline="")))


def test_what_no_gate_judged_and_what_a_person_refused_unpaired_say_so(world: World) -> None:
    declare(world, gate=None)
    free = promoted(world, "a.csv", 0.8, 1)
    world.app.announcing.announce_due()
    report = json.loads(world.get(f"artifacts/census/{free['id']}/report.json"))
    assert {row["metric"]: row["value"] for row in report["output2"]}["AUC"] == 0.9
    declare(world, gate=GateRule(unpaired=Policy.APPROVAL), holdout="")
    asked = evaluate(world, begin(world, "b.csv", 0.9, 2))
    world.app.approvals.reject(asked["id"], "ada", "no")
    refused = evaluate(world, asked)

    assert free["reason"].startswith('UNPAIRED: gate = "none": nothing was judged')
    assert refused["reason"] == "UNPAIRED: rejected by ada: no"
    assert _rows_of_csv(world)[-1]["paired"] == "False"
    assert world.app.history.decisions("census")[-1].evidence["reason"] == refused["reason"]


@pytest.mark.parametrize("ends", ["CANCELLED", "TIMED_OUT"])
def test_a_held_unpaired_run_that_nobody_decides_says_unpaired_in_the_end(world: World, ends: str) -> None:
    promoted(world, "a.csv", 0.8, 1)
    declare(world, gate=GateRule(unpaired=Policy.APPROVAL), holdout="")
    held = evaluate(world, begin(world, "b.csv", 0.9, 2))
    assert held["state"] == "HELD", held["reason"]
    declare(world, holdout="census/holdout.csv")  # what the model declares by now is not what the run was judged on
    if ends == "CANCELLED":
        world.app.interventions.cancel(held["id"], "ada", "wrong file")
    else:
        world.pass_time(days=8)
    world.tick()
    world.app.announcing.announce_due()

    run = world.app.views.run(held["id"])
    assert run
    assert (run["state"], run["verdict"]["paired"]) == (ends, False)
    assert run["reason"].startswith("UNPAIRED: cancelled by ada: wrong file" if ends == "CANCELLED" else "UNPAIRED: ")
    link = world.app.history.decisions("census")[-1]
    assert (link.outcome, link.evidence["reason"]) == (ends, run["reason"])
    assert link.evidence["verdict"]["paired"] is False
    cells = [(row["outcome"], row["paired"], row["reason"][:8]) for row in _rows_of_csv(world)[1:]]
    assert cells == [("HELD", "False", "UNPAIRED"), (ends, "False", "UNPAIRED")]
    for page in (world.app.dashboard.overview("", ""), world.app.dashboard.model("census")):
        said = str(escape(run["reason"]))
        assert f'data-name="Reason" class="long">{said}' in page.partition("<h2>Decisions</h2>")[2]
        assert page.count(said) == 2  # of the run, and of its decision
    report = json.loads(world.app.reporting.read(run["id"], "json").data)
    assert (report["verdict"]["unpaired"], report["verdict"]["state"]) == (True, ends)
    assert [entry["unpaired"] for entry in report["history"]] == [False, True]
    assert world.app.history.model("census")["paired"] is True


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"staging": None}, "no staging endpoint"), ({"holdout": ""}, "no holdout"), ({"gate": None}, 'gate = "none"')],
)
def test_the_dashboard_says_unpaired_and_why(world: World, changes: dict[str, Any], why: str) -> None:
    assert "UNPAIRED" not in world.app.dashboard.overview("", "") + world.app.dashboard.model("census")

    declare(world, **changes)

    assert f'title="{escape(why)}">UNPAIRED' in world.app.dashboard.overview("", "")
    assert f"{escape(why)}: UNPAIRED" in world.app.dashboard.model("census")


def test_losses_that_add_up_are_seen_against_the_last_approved_model(world: World) -> None:
    ask_always(world)
    approved = evaluate(world, begin(world, "a.csv", 1.0, 1))
    world.app.approvals.approve(approved["id"], "ada", "good")
    evaluate(world, approved)
    tolerant = MetricRule("AUC", margin=0.2, min_gain=-1)
    declare(world, approval=type(world.app.evaluation._models["census"].approval)())
    gate(world, metrics=(tolerant,), creep_margin=0.01, floors={})
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
    gate(world, slices=SliceRule(("site",), margin=0.2, min_rows=100), group="household")

    run = promoted(world, "a.csv", 1.0, 1)

    assert [part["state"] for part in run["verdict"]["slices"]] == ["passed", "passed"]
    assert run["verdict"]["rule"]["group"] == "household"


def test_holdout_rows_that_trained_hold_the_run(world: World) -> None:
    shared = people(2000, seed=99).splitlines(keepends=True)[: 1 + 40]
    world.service.quality = 1.0
    world.drop("a.csv", b"".join(shared) + people(600).partition(b"\n")[2])
    world.tick()

    run = world.run()
    assert run["state"] == "HELD", run["reason"]
    assert "share of the holdout in the training data ≤ 0.01: found 0.02" in run["reason"]


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
