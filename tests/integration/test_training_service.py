"""What the training service says, or does not say, moves a run on, ends it, or makes it wait."""

from __future__ import annotations

import pytest
from census_rows import people
from classic_service import Faults
from retraining_world import World


@pytest.mark.parametrize(
    ("faults", "state", "reason"),
    [
        (
            Faults(job_status="Failed", details="Module: Train Model; Error 0003: no rows"),
            "FAILED",
            "Error 0003: no rows",
        ),
        (Faults(job_status="Failed", details="see https://x/y?sig=abc%3D&se=1"), "FAILED", "sig=****&se=1"),
        (Faults(job_status="Cancelled"), "CANCELLED", "the service says that the job was cancelled"),
        (
            Faults(metrics="oops"),
            "FAILED",
            "could not be judged: metrics-unreadable: the metrics output holds 1 line(s)",
        ),
        (Faults(metrics="AUC\n0.9\n"), "REJECTED", "Accuracy of output2 ≥ 0.75: found missing"),
        (Faults(metrics="Accuracy,AUC\n0.9,NaN\n"), "REJECTED", "AUC of output2 ≥ 0.75"),
        (Faults(refused_submits=1), "FAILED", "submit job (400 InvalidBlobExtension): refused"),
        (Faults(swap_outputs=True), "PROMOTED", "proven"),
        (Faults(integer_status=True), "PROMOTED", "proven"),
    ],
)
def test_what_the_service_says_decides_the_end(world: World, faults: Faults, state: str, reason: str) -> None:
    world.service.faults = faults

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == state, run["reason"]
    assert reason in run["reason"]


def test_a_job_that_the_service_forgot_fails_the_run(world: World) -> None:
    world.service.faults.job_status = "Running"
    world.drop("a.csv", people(600))

    world.service.faults.forget_jobs = True
    world.tick()

    assert world.run()["state"] == "FAILED"
    assert "no longer knows the job" in world.run()["reason"]


def test_a_job_that_is_under_way_already_is_not_started_again(world: World) -> None:
    world.drop("a.csv", people(600))
    (job_id,) = world.service.jobs
    batch = world.app.advancing._batch(world.app.advancing._models["census"])

    batch.start(job_id, "run")

    assert world.service.jobs[job_id].started == 1


def test_a_running_job_is_left_alone_with_one_question_a_tick(world: World) -> None:
    world.service.faults.job_status = "Running"
    world.drop("a.csv", people(600))
    asked = len(world.service.calls)

    world.tick()

    assert world.run()["state"] == "TRAINING"
    assert len(world.service.calls) == asked + 1


def test_a_service_that_is_away_delays_the_run_and_loses_nothing(world: World) -> None:
    world.service.faults.unavailable = 1
    world.drop("a.csv", people(600))
    assert world.run()["state"] == "RECEIVED"

    world.tick()
    assert world.service.count("POST", "/jobs$") == 1  # the pause is not over
    world.pass_time(seconds=15)
    world.tick()
    world.tick()

    assert world.run()["state"] == "PROMOTED"
    assert world.service.count("POST", "/start$") == 1


def test_one_run_with_an_odd_answer_does_not_hold_up_the_others(world: World) -> None:
    world.drop("odd.csv", people(600, seed=1))
    world.drop("good.csv", people(600, seed=2))
    odd = next(iter(world.service.jobs))
    world.service.odd_jobs.add(odd)

    world.tick()

    states = {run["datasets"][0]: run["state"] for run in world.app.views.runs(None)["runs"]}
    assert states == {"census/odd.csv": "FAILED", "census/good.csv": "PROMOTED"}


def test_a_service_that_stays_away_ends_the_run_at_last(world: World) -> None:
    world.service.faults.job_status = "Running"
    world.drop("a.csv", people(600))
    world.service.faults.unavailable = 1000
    world.pass_time(hours=7)

    world.tick()

    assert world.run()["state"] == "TIMED_OUT"
    assert "the service stayed away beyond 6:00:00" in world.run()["reason"]
    assert "whether job" in world.run()["reason"]
