"""The message that hands a run over to evaluation: lost, late, doubled, or there while another run is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from census_rows import people
from retraining_world import World


def test_a_scoring_service_that_is_away_leaves_the_run_for_the_next_message(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()
    world.service.faults.unavailable = 10
    world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "EVALUATING"
    assert world.run()["waits_for"].startswith("the service: ")

    world.service.faults.unavailable = 0
    world.tick()
    assert world.run()["state"] == "EVALUATING"  # the pause is not over
    world.pass_time(seconds=16)
    world.tick()

    assert world.run()["state"] == "PROMOTED"


def test_a_repeated_message_changes_nothing(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    updates = world.service.count("PATCH", "")

    world.app.evaluation.evaluate("census", world.run()["id"])

    assert world.service.count("PATCH", "") == updates
    assert len(world.rows("decisions")) == 1


def test_two_runs_of_one_model_do_not_use_its_endpoints_at_once(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()
    stores = world.app.evaluation._stores
    assert stores.records.lease("census", "somebody", world.app.evaluation._clock(), timedelta(minutes=1))

    world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "EVALUATING"
    assert world.service.count("PATCH", "") == 0

    stores.records.release("census", "somebody")
    world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "PROMOTED"


def test_a_worker_that_lost_its_lease_saves_no_verdict(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()
    records = world.app.evaluation._stores.records

    def usurp(name: str) -> None:
        record = records.load("census")
        records.save(
            replace(
                record, lease="somebody", lease_run="census-other", lease_until=world.clock() + timedelta(minutes=1)
            )
        )

    world.service.before_update = usurp
    world.app.evaluation.evaluate("census", run_id)

    assert world.run()["state"] == "EVALUATING"
    assert world.rows("decisions") == []
    world.service.before_update = lambda name: None
    world.pass_time(minutes=2)
    assert len(world.app.polling.tick()) == 1  # its message came to nothing: another one is sent


def test_a_message_that_is_only_slow_is_not_sent_again(world: World) -> None:
    world.drop("a.csv", people(600))
    (message,) = world.app.polling.tick()

    for _ in range(4):  # a queue with much before it
        world.pass_time(minutes=1)
        assert world.app.polling.tick() == []

    world.pass_time(minutes=2)
    assert world.app.polling.tick() == [message]  # by now it counts as lost
    world.pass_time(minutes=6)
    assert world.app.polling.tick() == []  # the longer the more patient: a queue that is slow once stays slow
    world.pass_time(minutes=6)
    assert world.app.polling.tick() == [message]


def test_a_message_that_came_while_another_run_was_judged_is_sent_again_at_once(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()
    records = world.app.evaluation._stores.records
    other = replace(records.load("census"), lease="somebody", lease_run="census-other")
    records.save(replace(other, lease_until=world.clock() + timedelta(minutes=1)))
    world.app.evaluation.evaluate("census", run_id)
    world.pass_time(seconds=10)
    assert world.app.polling.tick() == []  # the endpoints are still in use

    records.release("census", "somebody")
    world.tick()

    assert world.run()["state"] == "PROMOTED"


def test_a_second_message_of_the_run_that_is_judged_disturbs_nothing(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = world.hand_over()

    def deliver_again(name: str) -> None:
        world.service.before_update = lambda name: None
        world.app.evaluation.evaluate("census", run_id)

    world.service.before_update = deliver_again
    world.app.evaluation.evaluate("census", run_id)

    assert world.run()["state"] == "PROMOTED"
    assert len(world.rows("decisions")) == 1


def test_of_runs_that_wait_for_the_same_endpoints_one_is_sent_at_a_time_the_oldest_first(world: World) -> None:
    for seed in (1, 2, 3):
        world.drop(f"{seed}.csv", people(600, seed=seed))
        world.pass_time(seconds=2)
    ids = sorted(run["id"] for run in world.app.views.runs(None)["runs"])
    world.app.polling.tick()
    runs = world.app.evaluation._stores.runs
    for run_id in ids:  # each message came to nothing
        run = runs.find("census", run_id)
        assert run
        runs.save(run.unannounced())
    world.pass_time(seconds=10)

    sent = [json.loads(message)["run"] for _ in ids for message in world.app.polling.tick()]

    assert sent == ids
