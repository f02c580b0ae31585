"""People cancel and retry runs; limits hold runs back; refusals are met by their code; nothing is ever stuck unseen."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from census_rows import people
from classic_service import Faults
from retraining_world import World

from shared.domain.lifecycle.limits import Limits
from shared.errors import RequestRefused


def limited(world: World, **limits: int) -> None:
    """Give the model limits, as `[models.census.limits]` would."""
    models = world.app.advancing._models
    assert isinstance(models, dict)
    models["census"] = replace(models["census"], limits=Limits(**limits))


def states(world: World) -> dict[str, str]:
    return {run["datasets"][0]: run["state"] for run in world.app.views.runs(None)["runs"]}


def test_a_cancelled_run_ends_and_its_job_is_cancelled_at_the_service(world: World) -> None:
    world.service.faults.job_status = "Running"
    world.drop("a.csv", people(600))

    answer = world.app.interventions.cancel(world.run()["id"], "ann", "wrong file")

    assert answer["state"] == "CANCELLED"
    assert answer["reason"] == "cancelled by ann: wrong file"
    assert world.service.jobs == {}


def test_a_cancel_outlives_a_service_that_is_away(world: World) -> None:
    world.service.faults.job_status = "Running"
    world.drop("a.csv", people(600))
    world.service.faults.unavailable = 5

    answer = world.app.interventions.cancel(world.run()["id"], "ann", "wrong file")
    assert answer["state"] == "TRAINING"
    assert "the service" in answer["waits_for"]
    world.pass_time(seconds=16)
    world.tick()

    assert world.run()["state"] == "CANCELLED"
    assert world.service.jobs == {}


def test_a_run_cancelled_while_it_is_judged_promotes_nothing(world: World) -> None:
    world.drop("a.csv", people(600))
    world.app.polling.tick()

    def cancel(name: str) -> None:
        world.service.before_update = lambda name: None
        world.app.interventions.cancel(world.run()["id"], "ann", "second thoughts")

    world.service.before_update = cancel
    world.app.evaluation.evaluate("census", world.run()["id"])
    world.tick()

    assert world.run()["state"] == "CANCELLED"
    assert world.service.served["live"] == "quality=0.5"
    assert world.service.count("PATCH", "/live") == 0


@pytest.mark.parametrize(
    ("by", "reason", "status", "said"),
    [("ann", "why not", 409, "is PROMOTED already"), ("", "x", 400, "`by`"), ("ann", " ", 400, "`reason`")],
)
def test_what_cannot_be_cancelled_is_refused_with_a_reason(
    world: World, by: str, reason: str, status: int, said: str
) -> None:
    world.drop("a.csv", people(600))
    world.tick()

    with pytest.raises(RequestRefused, match=said) as refused:
        world.app.interventions.cancel(world.run()["id"], by, reason)

    assert refused.value.status == status


def test_a_run_that_came_to_nothing_trains_again_once_however_often_that_is_asked(world: World) -> None:
    world.service.faults = Faults(job_status="Failed", details="out of memory")
    world.drop("a.csv", people(600))
    world.tick()
    failed = world.run()["id"]
    world.service.faults = Faults()

    again = world.app.interventions.retry(failed, "ann", "more memory now")
    assert world.app.interventions.retry(failed, "ann", "more memory now")["id"] == again["id"] == f"{failed}-again1"
    world.tick()

    run = world.app.views.run(again["id"])
    assert run
    assert run["state"] == "PROMOTED"
    assert run["requested_by"] == "ann"
    assert world.dataset("a.csv")["run_id"] == again["id"]
    assert sum(job.started for job in world.service.jobs.values()) == 2


def test_a_file_that_was_replaced_is_not_trained_again_under_its_old_run(world: World) -> None:
    world.service.faults = Faults(job_status="Failed")
    world.drop("a.csv", people(600, seed=1))
    world.tick()
    world.put("training-data/census/a.csv", people(600, seed=2))

    with pytest.raises(RequestRefused, match="was replaced or removed since; drop the file again"):
        world.app.interventions.retry(world.run()["id"], "ann", "again")


def test_a_waiting_run_goes_on_at_once_when_asked(world: World) -> None:
    world.service.faults.unavailable = 1
    world.drop("a.csv", people(600))
    assert world.run()["due_at"]

    answer = world.app.interventions.retry(world.run()["id"], "ann", "it is back")

    assert answer["state"] == "TRAINING"
    assert answer["attempts"] == 0


def test_an_evaluation_that_failed_in_every_delivery_is_seen_and_can_be_replayed(world: World) -> None:
    world.drop("a.csv", people(600))
    (message,) = world.app.polling.tick()
    world.app.evaluation._scoring._staging._settle = None  # type: ignore[assignment]  # what nobody foresaw
    with pytest.raises(AttributeError):
        world.app.evaluation.evaluate("census", world.run()["id"])

    world.app.giving_up.take(message)
    world.app.giving_up.take(message)

    failed = world.run()
    assert failed["state"] == "FAILED"
    assert "its evaluation failed in every delivery: AttributeError" in failed["reason"]
    assert f"POST /api/runs/{failed['id']}/retry" in failed["reason"]
    assert len(world.rows("decisions")) == 1
    assert world.app.interventions.retry(failed["id"], "ann", "mended")["state"] == "TRAINING"


def test_a_begun_promotion_is_never_given_up(world: World) -> None:
    def corrupt(name: str) -> None:
        if name == "live":
            world.service.served["live"] = "quality=0.1"

    world.service.faults.lying_updates = 2
    world.service.before_update = corrupt
    world.drop("a.csv", people(600))
    (message,) = world.app.polling.tick()
    with pytest.raises(Exception, match="was not seen"):
        world.app.evaluation.evaluate("census", world.run()["id"])

    world.app.giving_up.take(message)

    assert world.run()["state"] == "RESTORING"
    assert "failed in every delivery" in world.run()["waits_for"]


@pytest.mark.parametrize("text", ["", "[]", '{"model": "census"}', '{"model": "census", "run": "none"}'])
def test_a_message_that_means_nothing_is_no_trouble(world: World, text: str) -> None:
    world.app.giving_up.take(text)


def test_runs_above_the_limit_of_jobs_wait_say_why_and_follow(world: World) -> None:
    limited(world, concurrent_jobs=1)
    world.service.faults.job_status = "Running"
    for number in range(3):
        world.drop(f"{number}.csv", people(600, seed=number))
    world.tick()

    assert states(world) == {"census/0.csv": "TRAINING", "census/1.csv": "RECEIVED", "census/2.csv": "RECEIVED"}
    assert "'census' may have 1 at once" in world.run()["waits_for"]
    world.pass_time(hours=30)  # beyond queued_min, which does not count while a limit keeps a run back
    world.service.faults.job_status = "Finished"
    for job in world.service.jobs.values():
        world.service._write(job)
    for _ in range(4):
        world.tick()

    assert "TIMED_OUT" not in states(world).values()
    assert "RECEIVED" not in states(world).values()


def test_a_limit_of_runs_a_day_lets_the_next_one_through_when_the_day_is_over(world: World) -> None:
    limited(world, runs_per_day=1)
    world.drop("0.csv", people(600, seed=0))
    world.tick()
    world.drop("1.csv", people(600, seed=1))
    world.tick()
    assert states(world)["census/1.csv"] == "RECEIVED"
    assert "may start 1 runs in 24 hours" in world.run()["waits_for"]

    world.pass_time(hours=24, minutes=1)
    world.tick()
    world.tick()

    assert states(world)["census/1.csv"] != "RECEIVED"


def test_a_file_that_the_training_service_refuses_is_quarantined(world: World) -> None:
    world.service.faults.refused_submits = 1

    world.drop("a.csv", people(600))

    assert world.run()["state"] == "FAILED"
    assert world.dataset("a.csv")["state"] == "QUARANTINED"
    assert "the training service refuses it" in world.dataset("a.csv")["reason"]
    with_reasons = [blob for blob in world.blobs("quarantine") if blob.startswith("census/a.csv.")]
    assert "InvalidBlobExtension" in json.loads(world.get(f"quarantine/{with_reasons[0]}"))["problems"][0]["found"]


def test_a_job_that_lost_the_race_for_its_run_is_cancelled(world: World) -> None:
    world.drop("a.csv", people(600, seed=0))  # a first run, so that the second can be stopped before its submit
    world.service.faults.unavailable = 1
    world.drop("b.csv", people(600, seed=1))
    model, first = world.app.advancing._models["census"], world.app.evaluation._stores.runs
    run = first.find("census", world.run()["id"])
    assert run
    submission = world.app.advancing._submission
    submission.submit(run, model)

    with pytest.raises(Exception, match="changed by somebody else"):
        submission.submit(run, model)

    current = first.find("census", run.id)
    assert current
    assert current.job_id in world.service.jobs
    assert len(world.service.jobs) == 2


def test_a_job_that_a_later_one_replaced_is_cancelled(world: World) -> None:
    world.drop("a.csv", people(600))
    runs = world.app.evaluation._stores.runs
    run = runs.find("census", world.run()["id"])
    assert run
    world.service.jobs["stray"] = next(iter(world.service.jobs.values()))
    runs.save(replace(run, stray_jobs=("stray", "gone already")))

    world.tick()

    assert "stray" not in world.service.jobs
    assert world.run()["state"] == "PROMOTED"
