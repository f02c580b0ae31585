"""What is judged where nothing can be compared: without a holdout, a staging endpoint or a gate."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from deciding_steps import begin, change_gate, declare, evaluate, promoted
from markupsafe import escape
from retraining_world import World

from shared.domain.gate import GateRule, Policy


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
        change_gate(world, first_model=policy)
    else:
        change_gate(world, unpaired=policy)
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
