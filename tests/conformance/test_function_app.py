"""The function app itself, every function of it, through our worker and through Microsoft's: the same run, alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.host.messages import BlobName, Datum, Invoke, Kind, Outcome, Request, Response
from local.host.worker_process import OUR_WORKER, WorkerProcess
from shared.adapters.blobs import BlobStore
from shared.secret import Secret
from tests.conformance.conftest import ROOT, Start
from tests.integration.census_rows import people
from tests.integration.classic_service import ClassicService
from tests.integration.emptying import empty_storage

ANSWER_S = 60.0
TICK = {"tick": Datum(Kind.JSON, json.dumps({"Schedule": {}, "ScheduleStatus": None, "IsPastDue": False}))}


@pytest.fixture
def classic(azurite: Azurite) -> Iterator[ClassicService]:
    """A classic service, and the storage that the app expects."""
    connection = Secret(azurite.connection_string)
    empty_storage(connection)
    blobs = BlobStore(connection)
    blobs.write("holdouts/census/holdout.csv", people(1000, seed=99))
    blobs.write("artifacts/published.ilearner", b"quality=0.5")
    reference = blobs.reference("artifacts/published.ilearner", write=False, lifetime=timedelta(hours=1))
    with ClassicService(published=reference.signed_url().reveal()) as service:
        yield service


def test_a_run_goes_the_same_way_through_both_workers(
    start: Start, theirs: tuple[str, ...], classic: ClassicService, blob_service: BlobServiceClient
) -> None:
    classic.quality = 0.7
    ours = _play(start(ROOT, OUR_WORKER, classic.settings()), "ours", blob_service)
    classic.quality = 1.0  # better again, or nothing would change
    expected = _play(start(ROOT, theirs, classic.settings()), "theirs", blob_service)

    assert ours == expected
    assert ours["run"]["state"] == "PROMOTED"
    assert ours["missing"] == (404, {"error": "there is no run 'nothing'; GET /api/runs lists them"})


def test_the_play_calls_every_function(start: Start) -> None:
    declared = {source.name for source in start(ROOT, OUR_WORKER).functions()}

    assert declared == _PLAYED


_PLAYED = {
    "training_data_arrived",
    "retrain_on_schedule",
    "poll_jobs",
    "announce_outcomes",
    "evaluate_and_promote",
    "evaluation_given_up",
    "cancel_run",
    "retry_run",
    "list_runs",
    "get_run",
    "get_report",
    "dashboard",
    "dashboard_content",
    "decide_page",
    "look_by_link",
    "decide_by_link",
    "list_datasets",
    "explain_dataset",
    "explain_dataset_path",
    "release_dataset",
    "release_dataset_path",
    "retrain_model",
    "approve_run",
    "reject_run",
    "override_run",
    "list_models",
    "get_model",
    "get_serving",
    "rollback_model",
    "replay_gate",
    "list_decisions",
    "verify_decisions",
    "health",
    "doctor",
}


def _play(worker: WorkerProcess, who: str, blobs: BlobServiceClient) -> dict[str, Any]:
    """Drop a file and call every function by hand; return what must not depend on the worker."""
    name = f"census/{who}.csv"
    rows = people(600, seed=len(who))
    blobs.get_blob_client("training-data", name).upload_blob(rows, overwrite=True)
    blob = Datum(Kind.MODEL_BINDING_DATA, BlobName("DATA_STORAGE", "training-data", name))

    _call(worker, "training_data_arrived", {"dataset": blob})
    _call(worker, "retrain_on_schedule", TICK)
    polled = _call(worker, "poll_jobs", TICK)
    (message,) = json.loads(polled.outputs["evaluations"].value)
    _call(worker, "evaluate_and_promote", {"message": Datum(Kind.STRING, message)})
    _call(worker, "evaluation_given_up", {"message": Datum(Kind.STRING, message)})

    run_id = json.loads(message)["run"]
    status, run = _get(worker, "get_run", id=run_id)
    runs, datasets = _get(worker, "list_runs")[1]["runs"], _get(worker, "list_datasets")[1]["datasets"]
    return {
        "status": status,
        "run": {key: run[key] for key in ("state", "is_final", "model")},
        "stages": [stage["state"] for stage in run["stages"]],
        "run keys": sorted(run),
        "listed": run_id in [listed["id"] for listed in runs],
        "dataset": [(d["state"], d["rows"]) for d in datasets if d["name"] == name],
        "explained": [
            len(_get(worker, "explain_dataset", path=f"{name}/explain")[1]["explanation"]),
            len(_get(worker, "explain_dataset", path=f"{name.replace('/', '%2F')}/explain")[1]["explanation"]),
            len(_get(worker, "explain_dataset_path", name=name)[1]["explanation"]),
        ],
        "released": [
            _post(worker, "release_dataset", path="none.csv/release"),
            _post(worker, "release_dataset_path", name="none.csv"),
        ],
        "nothing to be done": _get(worker, "explain_dataset", path=name),
        "retrained": re.sub(
            r"'census/\S+' of \S+:", "FILE:", _post(worker, "retrain_model", model="census")[1]["answer"]
        ),
        "missing": _get(worker, "get_run", id="nothing"),
        "health": _get(worker, "health"),
        "doctor": [(check["check"], check["ok"]) for check in _get(worker, "doctor")[1]["checks"]],
        "decided": [
            _post(worker, f"{verb}_run", id="nothing") for verb in ("approve", "reject", "override", "cancel", "retry")
        ],
        "model": sorted(_get(worker, "get_model", model="census")[1]),
        "models": len(_get(worker, "list_models")[1]["models"]),
        "serving": _get(worker, "get_serving", model="census")[1]["serving"]["run_id"] == run_id,
        "replay": _post(worker, "replay_gate", model="census")[0],
        "rollback": _post(worker, "rollback_model", model="nothing"),
        "decisions": _get(worker, "list_decisions")[1]["decisions"][-1]["run_id"] == run_id,
        "verified": _get(worker, "verify_decisions")[1]["whole"],
        "message": re.sub(r"census-\S+", "RUN", message),
    }


def _call(worker: WorkerProcess, function: str, inputs: dict[str, Datum]) -> Outcome:
    worker.functions()
    outcome = worker.invoke(Invoke("1", function, inputs, {})).result(ANSWER_S)
    assert outcome.failure is None, outcome.failure
    return outcome


def _get(worker: WorkerProcess, function: str, **route: str) -> tuple[int, Any]:
    request = Request("GET", f"http://x/api/{function}", {}, {}, route, None)
    response = _call(worker, function, {"req": Datum(Kind.HTTP, request)}).outputs["$return"].value
    assert isinstance(response, Response)
    return response.status, json.loads(response.body)


def _post(worker: WorkerProcess, function: str, **route: str) -> tuple[int, Any]:
    body = json.dumps({"by": "ada", "reason": "because"}).encode()
    request = Request("POST", f"http://x/api/{function}", {"Content-Type": "application/json"}, {}, route, body)
    response = _call(worker, function, {"req": Datum(Kind.HTTP, request)}).outputs["$return"].value
    assert isinstance(response, Response)
    return response.status, json.loads(response.body)
