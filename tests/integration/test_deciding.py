"""People decide: held runs, rollbacks, overrides; and the ledger says who did what, and what served when."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.data.tables import TableServiceClient, UpdateMode
from census_rows import people
from retraining_world import World

from shared.domain.deciding.approval import Approval, AskWhen
from shared.domain.deciding.decision import OVERRIDE, ROLLBACK
from shared.domain.lifecycle.runs import RunState
from shared.errors import RequestRefused


def declare(world: World, **changes: Any) -> None:
    """Change what models.toml says of the model, in every use case."""
    models = world.app.evaluation._models
    models["census"] = replace(models["census"], **changes)  # type: ignore[index]


def ask_always(world: World, *, allow_self: bool = True) -> None:
    declare(world, approval=Approval(AskWhen.ALWAYS, allow_self))


def evaluate(world: World, run: dict[str, Any]) -> dict[str, Any]:
    world.app.evaluation.evaluate("census", run["id"])
    found = world.app.views.run(run["id"])
    assert found
    return found


def promoted(world: World, name: str, quality: float, seed: int) -> dict[str, Any]:
    world.service.quality = quality
    world.drop(name, people(600, seed=seed))
    world.tick()
    run = world.run()
    assert run["state"] == "PROMOTED", run["reason"]
    return run


def held(world: World) -> dict[str, Any]:
    ask_always(world)
    world.drop("a.csv", people(600))
    world.tick()
    run = world.run()
    assert run["state"] == "HELD", run["reason"]
    return run


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


def test_a_held_run_that_is_cancelled_or_lapses_ends_in_the_chain_once(world: World) -> None:
    cancelled = held(world)
    world.app.interventions.cancel(cancelled["id"], "ada", "wrong file")
    world.tick()
    world.drop("b.csv", people(600, seed=2))
    world.tick()
    lapsed = world.run()
    world.pass_time(days=8)
    world.tick()

    for _ in range(2):
        world.app.announcing.announce_due()

    chain = world.app.history.decisions("census")
    assert [(link.run_id, link.outcome) for link in chain if link.outcome != "HELD"] == [
        (cancelled["id"], "CANCELLED"),
        (lapsed["id"], "TIMED_OUT"),
    ]
    assert [link.evidence["reason"] for link in chain if link.outcome == "CANCELLED"] == [
        "cancelled by ada: wrong file"
    ]
    assert world.app.history.verify("census")["whole"]


def test_a_run_that_failed_before_it_was_judged_ends_in_the_chain(world: World) -> None:
    world.service.faults.refused_submits = 1
    world.drop("a.csv", people(600))
    world.app.announcing.announce_due()

    (link,) = world.app.history.decisions("census")

    assert (link.outcome, link.evidence["reason"]) == ("FAILED", world.run()["reason"])
    assert '<td data-name="By">–</td>' in world.app.dashboard.overview("", "")


def test_the_overview_lists_the_newest_of_many_open_runs_and_counts_them(world: World) -> None:
    run = held(world)
    runs = world.app.evaluation._stores.runs
    kept = runs.find("census", run["id"])
    assert kept
    for n in range(24):
        runs.create(replace(kept, id=f"held-{n}", version=""))
    for n in range(30):
        runs.create(replace(kept, id=f"running-{n}", state=RunState.TRAINING, version=""))

    page = world.app.dashboard.overview("", "")

    assert page.count('<article class="card is-held">') == 20
    assert "The 20 that changed last, of 25;" in page
    assert page.count('<td data-name="Run">running-') == 20
    assert "The 20 that changed last, of 30;" in page


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


def begin(world: World, name: str, quality: float, seed: int) -> dict[str, Any]:
    """Bring a run to EVALUATING."""
    world.service.quality = quality
    world.drop(name, people(600, seed=seed))
    world.app.polling.tick()
    return world.run()


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


def test_what_served_at_a_time_is_told_with_files_and_evidence(world: World) -> None:
    start = world.app.history.decisions("census")
    assert start == []
    first = promoted(world, "a.csv", 0.8, 1)
    between = world.app.history.decisions("census")[-1].at + timedelta(microseconds=1)
    second = promoted(world, "b.csv", 1.0, 2)
    serving = world.app.history.serving

    then, now = serving("census", between.isoformat())["serving"], serving("census", None)["serving"]
    before = serving("census", "2020-01-01T00:00:00Z")["serving"]

    assert before["run_id"] == "initial"
    assert (then["run_id"], now["run_id"]) == (first["id"], second["id"])
    assert then["files"] == ["census/a.csv"]
    assert then["verdict"]["gain"] > 0
    assert then["verdict"]["rule"]["metrics"][0]["metric"] == "AUC"
    assert len(then["verdict"]["evidence"]["sha256"]) == len(then["sha256"]) == 64
    assert then["approval"] is None


def test_who_approved_a_model_is_still_told_when_it_came_back(world: World) -> None:
    ask_always(world)
    first = evaluate(world, begin(world, "a.csv", 0.8, 1))
    world.app.approvals.approve(first["id"], "grace", "looked at it")
    assert evaluate(world, first)["state"] == "PROMOTED"
    declare(world, approval=Approval(AskWhen.NEVER))
    promoted(world, "b.csv", 1.0, 2)

    evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "it was better"))

    serving = world.app.history.serving("census", None)["serving"]
    assert serving["run_id"] == first["id"]
    assert serving["approval"]["by"] == "grace"
    assert serving["requested_by"] == "ada"


def test_while_the_live_endpoint_changes_what_serves_is_not_sure(world: World) -> None:
    world.service.faults.lying_updates = 1
    run = begin(world, "a.csv", 1.0, 1)
    done = evaluate(world, run)
    began = next(stage["at"] for stage in done["stages"] if stage["state"] == "PROMOTING")

    during, after = (world.app.history.serving("census", at) for at in (began, None))

    assert done["state"] == "ROLLED_BACK"
    assert during["unsure"] == f"run '{run['id']}' was changing the live endpoint (ROLLED_BACK)"
    assert after["unsure"] is None
    assert during["serving"]["run_id"] == after["serving"]["run_id"] == "initial"


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01T00:00:00"])
def test_an_instant_that_cannot_be_read_is_refused(world: World, at: str) -> None:
    with pytest.raises(RequestRefused, match="write it as") as refused:
        world.app.history.serving("census", at)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda table, rows: table.update_entity(rows[0] | {"outcome": "REJECTED"}, UpdateMode.REPLACE), "was changed"),
        (lambda table, rows: table.delete_entity(rows[0]), "is missing or out of order"),
        (lambda table, rows: table.delete_entity(rows[-1]), "the chain was cut or rewritten"),
        (
            lambda table, rows: [
                table.update_entity(rows[1] | {"RowKey": rows[0]["RowKey"]}, UpdateMode.REPLACE),
                table.update_entity(rows[0] | {"RowKey": rows[1]["RowKey"]}, UpdateMode.REPLACE),
            ],
            "does not follow the one before it",
        ),
    ],
)
def test_the_chain_shows_what_was_done_to_it(world: World, tamper: Callable[..., Any], said: str) -> None:
    promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 1.0, 2)
    assert world.app.history.verify(None)["whole"]

    with TableServiceClient.from_connection_string(world.storage.reveal()) as tables:
        table = tables.get_table_client("decisions")
        tamper(table, sorted(table.list_entities(), key=lambda row: row["RowKey"]))

    checked = world.app.history.verify("census")
    assert not checked["whole"]
    assert said in "; ".join(checked["chains"][0]["problems"])


def test_decisions_are_exported_as_csv_that_no_spreadsheet_runs(world: World) -> None:
    first = promoted(world, "=cmd.csv", 0.8, 1)
    promoted(world, "b.csv", 1.0, 2)
    evaluate(world, world.app.rollback.rollback("census", first["id"], "=HYPERLINK(1)", "@SUM(1)"))

    text = world.app.history.decisions_csv(None)

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith("model,number,at,outcome,run_id,reason,paired,golden_rows_tell,metric")
    assert [row["number"] for row in rows] == ["0", "1", "2"]
    assert [row["paired"] for row in rows] == ["True", "True", ""]
    assert [row["golden_rows_tell"] for row in rows] == ["True", "True", "True"]
    assert rows[2]["decided_by"] == "'=HYPERLINK(1)"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "@", "+"))]


def test_a_way_back_that_no_kept_row_can_show_says_so(world: World) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    promoted(world, "b.csv", 1.0, 2)
    world.service.served["live"] = "quality=0.8"  # somebody else was there first

    back = evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "x"))

    assert back["state"] == "PROMOTED"
    assert back["reason"].endswith("golden rows, none of which the model before answered otherwise")
    rows = csv.DictReader(io.StringIO(world.app.history.decisions_csv("census"), newline=""))
    assert [row["golden_rows_tell"] for row in rows] == ["True", "True", "False"]


def test_a_chain_that_was_deleted_whole_shows(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)

    with TableServiceClient.from_connection_string(world.storage.reveal()) as tables:
        table = tables.get_table_client("decisions")
        for row in list(table.list_entities()):
            table.delete_entity(row)

    checked = world.app.history.verify(None)
    assert not checked["whole"]
    assert [chain["model"] for chain in checked["chains"]] == ["census"]
    assert "decision 0 was made and is not there" in checked["chains"][0]["problems"][0]
