"""The ledger: what served when and why, who decided, and whether anything was changed afterwards."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.data.tables import TableServiceClient, UpdateMode
from census_rows import people
from deciding_steps import ask_always, begin, declare, evaluate, held, promoted
from retraining_world import World

from shared.domain.deciding.approval import Approval, AskWhen
from shared.domain.gate import MetricRule
from shared.errors import RequestRefused


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
    assert serving["verdict"]["rule"] == first["verdict"]["rule"]
    assert serving["verdict"]["evidence"] == first["verdict"]["evidence"]
    assert serving["files"] == ["census/a.csv"]


def test_after_a_rollback_what_serves_is_told_with_the_rule_and_evidence_that_it_was_judged_by(
    world: World,
) -> None:
    first = promoted(world, "a.csv", 0.8, 1)
    rule = world.app.evaluation._models["census"].gate
    assert rule
    declare(world, gate=replace(rule, metrics=(MetricRule("AUC", margin=0.03),)))
    second = promoted(world, "b.csv", 1.0, 2)
    back = evaluate(world, world.app.rollback.rollback("census", first["id"], "ada", "it was better"))
    now = world.app.history.serving("census", None)["serving"]
    then = datetime.fromisoformat(now["since"])
    third = promoted(world, "c.csv", 0.95, 3)

    def at(instant: datetime) -> dict[str, Any]:
        served: dict[str, Any] = world.app.history.serving("census", instant.isoformat())["serving"]
        return served

    assert at(then) == now
    assert (now["run_id"], now["outcome"], now["placed_by"]) == (first["id"], "ROLLBACK", back["id"])
    assert now["reason"].startswith(f"rolled back to '{first['id']}' by ada: it was better; proven on")
    assert now["requested_by"] == "ada"
    assert now["files"] == ["census/a.csv"]
    assert (now["verdict"], now["verdict"]["rule"]) == (first["verdict"], rule.as_json())
    assert now["verdict"]["evidence"] == first["verdict"]["evidence"]
    kept = world.get(now["verdict"]["evidence"]["path"])
    assert hashlib.sha256(kept).hexdigest() == now["verdict"]["evidence"]["sha256"]
    before = at(then - timedelta(microseconds=1))
    assert (before["run_id"], before["files"]) == (second["id"], ["census/b.csv"])
    assert before["verdict"]["rule"]["metrics"][0]["margin"] == 0.03
    assert world.app.history.serving("census", None)["serving"]["run_id"] == third["id"]


def test_a_change_that_is_under_way_makes_the_answer_unsure_at_that_moment(world: World) -> None:
    asked: list[dict[str, Any]] = []

    def look(name: str) -> None:
        if name == "live":
            asked.append(world.app.history.serving("census", None))

    world.service.before_update = look
    run = promoted(world, "a.csv", 0.9, 1)

    assert [found["unsure"] for found in asked] == [f"run '{run['id']}' is changing the live endpoint (PROMOTING)"]
    assert world.app.history.serving("census", None)["unsure"] is None


def test_only_who_decided_is_named_as_decider(world: World) -> None:
    """Who asked for a run has not decided what the gate decides, nor what another person cancels."""
    promoted(world, "a.csv", 0.8, 1)
    world.service.quality = 0.2
    world.drop("b.csv", people(600, seed=2))
    world.tick()
    refused = world.run()
    world.app.asking.retrain("census", "census/b.csv", "ada", "once more", force=True)
    world.tick()
    again = world.run()
    assert (again["id"] != refused["id"], again["state"], again["requested_by"]) == (True, "REJECTED", "ada")
    cancelled = begin(world, "c.csv", 0.9, 3)
    world.app.interventions.cancel(cancelled["id"], "grace", "a: mistake")
    evaluate(world, cancelled)
    world.tick()
    world.app.announcing.announce_due()
    back = evaluate(world, world.app.rollback.rollback("census", "initial", "linus", "for now"))
    assert back["state"] == "PROMOTED", back["reason"]

    rows = {row["run_id"]: row for row in csv.DictReader(io.StringIO(world.app.history.decisions_csv("census")))}

    deciders = {row["outcome"]: (row["decided_by"], row["requested_by"]) for row in rows.values()}
    assert rows[again["id"]]["decided_by"] == ""
    assert rows[again["id"]]["requested_by"] == "ada"
    assert deciders["CANCELLED"] == ("grace", "")
    assert deciders["ROLLBACK"] == ("linus", "linus")
    assert deciders["PROMOTED"] == ("", "")


def test_a_model_that_nobody_knows_is_not_found_and_asking_writes_nothing(world: World) -> None:
    promoted(world, "a.csv", 0.8, 1)
    before = set(world.app.history._records.all())

    for ask in (world.app.history.verify, world.app.history.decisions_json, world.app.history.decisions_csv):
        with pytest.raises(RequestRefused, match="there is no model 'cesnus'") as refused:
            ask("cesnus")
        assert refused.value.status == 404

    assert set(world.app.history._records.all()) == before
    with pytest.raises(RequestRefused, match="has never served"):
        world.app.rollback.rollback("census", "²", "ada", "a digit that is no number")
    assert "Models" in world.app.dashboard.overview("", "²")


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
    kept = world.app.history.verify(None)["chains"][0]["head"]
    ask_always(world)
    for seed, (by, why) in enumerate((("+ada", "-1+1"), ("-ada", "\tnot yet"), ("@ada", "+1")), start=3):
        world.app.approvals.reject(evaluate(world, begin(world, f"{seed}.csv", 0.9 + seed / 100, seed))["id"], by, why)
        evaluate(world, world.run())

    text = world.app.history.decisions_csv(None)

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith("model,number,at,outcome,run_id,reason,paired,golden_rows_tell,metric")
    assert [row["number"] for row in rows] == [str(number) for number in range(len(rows))]
    assert rows[2]["hash"] == kept  # so a head that was kept is found in a later export
    assert rows[-1]["hash"] == world.app.history.verify(None)["chains"][0]["head"]
    assert [row["paired"] for row in rows[:3]] == ["True", "True", ""]
    assert [row["golden_rows_tell"] for row in rows[:3]] == ["True", "True", "True"]
    rejected = [row for row in rows if row["outcome"] == "REJECTED"]
    assert [row["decided_by"] for row in rejected] == ["'+ada", "'-ada", "'@ada"]
    assert [row["decided_because"] for row in rejected] == ["'-1+1", "not yet", "'+1"]
    assert rows[2]["decided_by"] == "'=HYPERLINK(1)"
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "@", "+", "\t"))]


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
