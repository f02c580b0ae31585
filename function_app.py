"""The triggers: each hands its event to one use case and holds no rule of its own."""

import json
import os
import typing

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from shared.adapters.storage_layout import EVALUATIONS, TRAINING_DATA
from shared.composition import compose

relearn = compose(os.environ)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("training_data_arrived")
@app.blob_trigger(arg_name="dataset", path=f"{TRAINING_DATA}/{{model}}/{{name}}", connection="DATA_STORAGE")
def training_data_arrived(dataset: blob.BlobClient) -> None:
    """Enter a new training file in the ledger, check it, start its run."""
    relearn.arrival.receive(dataset)


@app.function_name("retrain_on_schedule")
@app.timer_trigger(arg_name="tick", schedule="%RETRAIN_SCHEDULE%", run_on_startup=False)
def retrain_on_schedule(tick: func.TimerRequest) -> None:
    """Start the runs that are due, over the files accepted since the last; take up files that no event announced."""
    relearn.scheduled.retrain_due()
    relearn.sweeping.sweep()


@app.function_name("poll_jobs")
@app.timer_trigger(arg_name="tick", schedule="%POLL_SCHEDULE%", run_on_startup=False)
@app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
def poll_jobs(tick: func.TimerRequest, evaluations: func.Out[typing.List[str]]) -> None:  # noqa: UP006 (the worker refuses list[str])
    """Advance every open run by what its job says; hand finished ones to evaluation."""
    relearn.prepare()
    evaluations.set(relearn.advancing.advance_all())


@app.function_name("evaluate_and_promote")
@app.queue_trigger(arg_name="message", queue_name=EVALUATIONS, connection="DATA_STORAGE")
def evaluate_and_promote(message: func.QueueMessage) -> None:
    """Judge a finished run, and promote its model if the gate allows it."""
    due = json.loads(message.get_body())
    relearn.evaluation.evaluate(due["model"], due["run"])


@app.function_name("list_runs")
@app.route(route="runs", methods=["GET"])
def list_runs(req: func.HttpRequest) -> func.HttpResponse:
    """Answer `GET /api/runs[?model=NAME]`."""
    return _json(relearn.views.runs(req.params.get("model")))


@app.function_name("get_run")
@app.route(route="runs/{id}", methods=["GET"])
def get_run(req: func.HttpRequest) -> func.HttpResponse:
    """Answer `GET /api/runs/{id}`."""
    run_id = req.route_params["id"]
    run = relearn.views.run(run_id)
    return _json(run) if run else _json({"error": f"there is no run '{run_id}'; GET /api/runs lists them"}, 404)


@app.function_name("list_datasets")
@app.route(route="datasets", methods=["GET"])
def list_datasets(req: func.HttpRequest) -> func.HttpResponse:
    """Answer `GET /api/datasets[?model=NAME]`: the ledger."""
    return _json(relearn.views.datasets(req.params.get("model")))


@app.function_name("health")
@app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Answer `GET /api/health`: 200 when the app can work, 503 with the reason when it cannot."""
    healthy, facts = relearn.views.health()
    return _json(facts, 200 if healthy else 503)


def _json(document: dict[str, typing.Any], status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(document, ensure_ascii=False), status_code=status, mimetype="application/json")
