"""The triggers: each hands its event to one use case and holds no rule of its own."""

import json
import os
import typing

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blob

from shared.adapters.storage_layout import EVALUATIONS, GIVEN_UP, TRAINING_DATA
from shared.api import register
from shared.composition import compose

relearn = compose(os.environ)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.function_name("training_data_arrived")
@app.blob_trigger(
    arg_name="dataset",
    path=f"{TRAINING_DATA}/{{model}}/{{name}}",
    connection="DATA_STORAGE",
    source=func.BlobSource(relearn.training_data_source),
)
def training_data_arrived(dataset: blob.BlobClient) -> None:
    """Enter a new training file in the ledger, check it, start its run."""
    relearn.arrival.receive(dataset)


@app.function_name("retrain_on_schedule")
@app.timer_trigger(arg_name="tick", schedule="%RETRAIN_SCHEDULE%", run_on_startup=False)
def retrain_on_schedule(tick: func.TimerRequest) -> None:
    """Start the runs that are due, over the files accepted since the last; take up files that no event announced.

    Overrides whose time is up end here too.
    """
    relearn.scheduled.retrain_due()
    relearn.rollback.end_overdue()
    relearn.sweeping.sweep()


@app.function_name("poll_jobs")
@app.timer_trigger(arg_name="tick", schedule="%POLL_SCHEDULE%", run_on_startup=False)
@app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
def poll_jobs(tick: func.TimerRequest, evaluations: func.Out[typing.List[str]]) -> None:  # noqa: UP006 (the worker refuses list[str])
    """Advance every open run by what its job says; hand finished ones to evaluation."""
    relearn.prepare()
    evaluations.set(relearn.polling.tick())


@app.function_name("evaluate_and_promote")
@app.queue_trigger(arg_name="message", queue_name=EVALUATIONS, connection="DATA_STORAGE")
def evaluate_and_promote(message: func.QueueMessage) -> None:
    """Judge a finished run, and promote its model if the gate allows it."""
    due = json.loads(message.get_body())
    relearn.evaluation.evaluate(due["model"], due["run"])


@app.function_name("announce_outcomes")
@app.timer_trigger(arg_name="tick", schedule="%POLL_SCHEDULE%", run_on_startup=False)
def announce_outcomes(tick: func.TimerRequest) -> None:
    """Write the reports of runs that were judged or have ended."""
    relearn.prepare()
    relearn.announcing.announce_due()


@app.function_name("evaluation_given_up")
@app.queue_trigger(arg_name="message", queue_name=GIVEN_UP, connection="DATA_STORAGE")
def evaluation_given_up(message: func.QueueMessage) -> None:
    """Show a run whose evaluation failed in every delivery; nothing is left in a queue that nobody reads."""
    relearn.giving_up.take(message.get_body().decode("utf-8", "replace"))


register(app, relearn)
