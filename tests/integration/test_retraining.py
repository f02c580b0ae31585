"""A run from the dropped file to its end, with the service behaving and misbehaving."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from census_rows import people
from classic_service import Faults
from retraining_world import World

from shared.errors import EvaluationError


def test_a_better_model_is_promoted_proven_and_remembered(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "PROMOTED", run["reason"]
    assert [stage["state"] for stage in run["stages"]] == [
        "RECEIVED", "SUBMITTED", "TRAINING", "EVALUATING", "PROMOTING", "PROMOTED",
    ]  # fmt: skip
    assert run["verdict"]["paired"]
    assert run["verdict"]["gain"] > 0
    assert "proven on 20 golden rows" in run["reason"]
    assert world.service.served["live"] == "quality=1.0"
    model = world.record()
    assert json.loads(model["champion"])["run_id"] == run["id"]
    (decision,) = world.rows("decisions")
    assert decision["outcome"] == "PROMOTED"


def test_a_worse_model_is_rejected_and_the_champion_stays(world: World) -> None:
    world.service.quality = 0.2

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "REJECTED"
    assert run["verdict"]["upper"] < 0
    assert "failed: gain in AUC" in run["reason"]
    assert world.service.served["live"] == "quality=0.5"
    assert world.service.count("PATCH", "/live") == 0


def test_the_same_bytes_under_another_name_start_nothing(world: World) -> None:
    world.drop("a.csv", people(600))
    world.tick()
    submitted = world.service.count("POST", "/jobs$")

    world.drop("b.csv", people(600))
    world.tick()

    assert world.dataset("b.csv")["state"] == "DUPLICATE"
    assert world.dataset("b.csv")["duplicate_of"] == "census/a.csv"
    assert world.service.count("POST", "/jobs$") == submitted == 1


def test_a_second_delivery_of_a_file_starts_nothing(world: World) -> None:
    world.drop("a.csv", people(600))

    world.deliver("a.csv")
    world.tick()
    world.deliver("a.csv")

    assert len(world.app.views.runs(None)["runs"]) == 1
    assert world.service.count("POST", "/start$") == 1


def test_new_bytes_under_an_old_name_are_a_file_of_their_own(world: World) -> None:
    world.drop("a.csv", people(600, seed=1))
    world.tick()
    world.service.quality = 0.9

    world.drop("a.csv", people(600, seed=2))
    world.tick()

    assert len(world.app.views.runs(None)["runs"]) == 2


def test_a_broken_file_is_quarantined_with_its_reasons_beside_it(world: World) -> None:
    world.drop("broken.csv", people(600).replace(b",Male,", b",Male,many,", 1))

    dataset = world.dataset("broken.csv")
    assert dataset["state"] == "QUARANTINED"
    assert dataset["problems"][0]["line"] == 2
    assert "expected 15 cells" in dataset["reason"]
    (kept,) = [row for row in world.rows("datasets") if row["RowKey"].startswith("file:")]
    document = json.loads(world.get(f"quarantine/census/broken.csv.{kept['RowKey'][5:13]}.json"))
    assert document["problems"] == dataset["problems"]
    assert world.service.calls == []


def test_a_file_in_a_folder_that_no_model_declares_is_quarantined(world: World) -> None:
    world.put("training-data/cencus/a.csv", people(600))
    world.app.arrival.receive(world.app.evaluation._stores.blobs.blob("training-data/cencus/a.csv"))

    (dataset,) = world.app.views.datasets(None)["datasets"]
    assert dataset["state"] == "QUARANTINED"
    assert dataset["reason"] == "no model in models.toml has the folder 'cencus'; declared are 'census/'"


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


def test_a_refused_update_leaves_the_champion(world: World) -> None:
    world.service.faults.refused_updates = 1

    world.drop("a.csv", people(600))
    world.tick()

    run = world.run()
    assert run["state"] == "ROLLED_BACK"
    assert "ModelOutputMetadataMismatch" in run["reason"]
    assert world.service.served["live"] == "quality=0.5"


def test_a_champion_that_is_not_seen_to_be_back_keeps_the_run_open_until_it_is(world: World) -> None:
    def corrupt(name: str) -> None:
        if name == "live":
            world.service.served["live"] = "quality=0.1"

    world.service.faults.lying_updates = 2
    world.service.before_update = corrupt
    world.drop("a.csv", people(600))
    with pytest.raises(EvaluationError, match="was not seen to give the champion's answers"):
        world.tick()
    assert world.run()["state"] == "RESTORING"

    world.app.evaluation.evaluate("census", world.run()["id"])

    assert world.run()["state"] == "ROLLED_BACK"
    assert world.service.served["live"] == "quality=0.5"


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
        (Faults(metrics="oops"), "FAILED", "could not be judged: the metrics output holds 1 line(s)"),
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


def test_a_scoring_service_that_is_away_leaves_the_run_for_the_next_message(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = _handed_over(world)
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


def test_the_same_model_again_changes_nothing(world: World) -> None:
    world.drop("a.csv", people(600, seed=1))
    world.tick()

    world.drop("b.csv", people(600, seed=2))
    world.tick()

    assert world.run()["state"] == "NO_CHANGE"
    assert world.service.count("PATCH", "/live") == 1


def test_an_older_run_does_not_replace_a_champion_from_newer_data(world: World) -> None:
    world.drop("old.csv", people(600, seed=1))
    older = _handed_over(world)
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
    run_id = _handed_over(world)
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


def test_two_runs_of_one_model_do_not_use_its_endpoints_at_once(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = _handed_over(world)
    stores = world.app.evaluation._stores
    assert stores.records.lease("census", "somebody", world.app.evaluation._clock(), timedelta(minutes=1))

    world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "EVALUATING"
    assert world.service.count("PATCH", "") == 0

    stores.records.release("census", "somebody")
    world.app.evaluation.evaluate("census", run_id)
    assert world.run()["state"] == "PROMOTED"


def test_a_holdout_that_is_not_there_fails_the_run_with_what_to_do(world: World) -> None:
    world.put("holdouts/census/holdout.csv", b"age\n1\n")

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "FAILED"
    assert "the holdout has no label column 'income'" in world.run()["reason"]


def test_no_secret_reaches_a_table(world: World) -> None:
    world.service.faults.refused_updates = 1
    world.drop("a.csv", people(600))
    world.tick()

    everything = json.dumps([world.rows(t) for t in ("runs", "datasets", "models", "decisions")], default=str)

    assert "planted-" not in everything
    assert "sig=" not in everything
    assert "AccountKey" not in everything


def _handed_over(world: World) -> str:
    """Bring the newest run to EVALUATING without evaluating it."""
    world.app.polling.tick()
    run = world.run()
    assert run["state"] == "EVALUATING"
    return str(run["id"])


def test_a_file_whose_run_came_to_nothing_trains_when_it_is_dropped_again(world: World) -> None:
    world.service.faults = Faults(job_status="Failed", details="out of memory")
    world.drop("a.csv", people(600))
    world.tick()
    assert world.run()["state"] == "FAILED"

    world.service.faults = Faults()
    world.drop("again.csv", people(600))
    world.tick()
    world.drop("third.csv", people(600))

    assert world.run()["state"] == "PROMOTED"
    assert world.dataset("again.csv")["state"] == "ACCEPTED"
    assert world.dataset("third.csv")["duplicate_of"] == "census/again.csv"


def test_models_that_no_row_tells_apart_are_never_promoted(world: World) -> None:
    world.service.quality = 0.5 + 1e-9  # other bytes, other answers, and nothing to prove a promotion by

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "NO_CHANGE", world.run()["reason"]
    assert world.service.count("PATCH", "/live") == 0


def test_a_header_of_any_length_is_quarantined(world: World) -> None:
    world.drop("a.csv", b"a" * 100_000 + b"\n1\n")

    assert world.dataset("a.csv")["state"] == "QUARANTINED"


@pytest.mark.parametrize(
    ("holdout", "reason"),
    [
        (people(600).replace(b"Chile", "Chilé".encode("latin-1")), "the holdout is not text in UTF-8"),
        (b"", "no label column"),
    ],
)
def test_a_holdout_that_cannot_be_read_fails_the_run(world: World, holdout: bytes, reason: str) -> None:
    world.put("holdouts/census/holdout.csv", holdout)

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "FAILED"
    assert reason in world.run()["reason"]


def test_a_blank_line_in_the_holdout_is_no_row(world: World) -> None:
    world.put("holdouts/census/holdout.csv", people(2000, seed=99) + b"\n")

    world.drop("a.csv", people(600))
    world.tick()

    assert world.run()["state"] == "PROMOTED"


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


def test_a_worker_that_lost_its_lease_saves_no_verdict(world: World) -> None:
    world.drop("a.csv", people(600))
    run_id = _handed_over(world)
    records = world.app.evaluation._stores.records

    def usurp(name: str) -> None:
        record = records.load("census")
        records.save(replace(record, lease="somebody", lease_until=datetime.now(UTC) + timedelta(hours=1)))

    world.service.before_update = usurp
    world.app.evaluation.evaluate("census", run_id)

    assert world.run()["state"] == "EVALUATING"
    assert world.rows("decisions") == []
