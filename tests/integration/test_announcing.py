"""News of runs: the report is written, and tried again until it is, whatever fails in between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema_rs
import pytest
from census_rows import people
from retraining_world import World

from shared.domain.lifecycle.announcement import ATTEMPTS
from shared.domain.lifecycle.runs import Run
from shared.retraining.showing.announcing import Announcing

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


def runs_of(world: World) -> list[Run]:
    return list(world.app.announcing._runs.unannounced())


def test_a_judged_run_has_its_report_in_three_forms(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()

    world.app.announcing.announce_due()

    run = world.run()
    html, document, text = (world.app.reporting.read(run["id"], form) for form in ("html", "json", "md"))
    assert html
    assert document
    assert text
    facts = json.loads(document.data)
    assert [
        error.message for error in jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).iter_errors(facts)
    ] == []
    assert facts["run"]["state"] == "PROMOTED"
    assert facts["two_class"]["n_rows"] == facts["verdict"]["n_rows"] == 2000
    assert facts["metrics"][0]["champion"] == run["verdict"]["champion"]
    assert facts["provenance"]["golden_rows"] == 20
    assert facts["provenance"]["service_version"] == "classic-1"
    assert facts["provenance"]["app_version"]
    assert {row["name"] for row in facts["label"]["rows"]} == {"<=50K", ">50K"}
    assert sum(row["training"] for row in facts["label"]["rows"]) == pytest.approx(1)
    assert facts["cost"]["training_seconds"] >= 0
    assert b"PROMOTED" in html.data
    assert text.data.startswith(b"# PROMOTED: census")
    assert runs_of(world) == []


def test_a_run_that_was_never_judged_has_a_report_too(world: World) -> None:
    world.service.faults.job_status, world.service.faults.details = "Failed", "out of memory"
    world.drop("a.csv", people(600))
    world.tick()
    world.tick()

    world.app.announcing.announce_due()

    document = world.app.reporting.read(world.run()["id"], "json")
    assert document
    assert "out of memory" in json.loads(document.data)["verdict"]["reason"]


def test_a_run_of_a_model_that_left_the_declaration_has_its_report(world: World) -> None:
    world.drop("a.csv", people(600))
    run = world.hand_over()
    models = world.app.evaluation._models
    declared = models.pop("census")  # type: ignore[attr-defined]
    try:
        world.pass_time(minutes=20)
        world.tick()
        world.app.announcing.announce_due()
    finally:
        models["census"] = declared  # type: ignore[index]

    document = world.app.reporting.read(run, "json")
    assert document
    assert json.loads(document.data)["verdict"]["reason"] == "models.toml no longer declares 'census'"
    assert runs_of(world) == []


def test_what_fails_is_tried_again_later_and_what_was_done_is_not(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    clock, told, broken = Clock(), [], [True]

    def tell(run: Run) -> None:
        if broken[0]:
            raise ConnectionError("nobody listens")
        told.append(run.id)

    written: list[str] = []
    steps = {"report": lambda run: written.append(run.id), "notify": tell}
    announcing = Announcing(world.app.announcing._runs, steps, clock)

    announcing.announce_due()
    announcing.announce_due()  # not due yet
    broken[0] = False
    clock.now += timedelta(minutes=2)
    announcing.announce_due()
    announcing.announce_due()

    assert written == told == [world.run()["id"]]
    assert runs_of(world) == []


def test_a_worker_that_dies_in_between_costs_one_attempt(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    clock, told = Clock(), []

    def die(run: Run) -> None:
        raise KeyboardInterrupt

    try:
        Announcing(world.app.announcing._runs, {"notify": die}, clock).announce_due()
    except KeyboardInterrupt:
        clock.now += timedelta(minutes=2)
    Announcing(world.app.announcing._runs, {"notify": lambda run: told.append(run.id)}, clock).announce_due()

    assert told == [world.run()["id"]]


def test_news_that_cannot_be_told_are_given_up_in_the_end_and_say_so(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    clock = Clock()

    def fail(run: Run) -> None:
        raise ConnectionError("nobody listens")

    announcing = Announcing(world.app.announcing._runs, {"notify": fail}, clock)
    for _ in range(ATTEMPTS):
        assert runs_of(world)
        announcing.announce_due()
        clock.now += timedelta(hours=2)

    assert runs_of(world) == []
    assert world.run()["state"] == "PROMOTED"
    (row,) = world.rows("runs")
    assert json.loads(row["announcement"])["problem"] == "notify: nobody listens"
