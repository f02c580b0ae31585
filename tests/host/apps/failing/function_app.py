"""Functions that fail, crash, hang or wait, as their message tells them to."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="msg", queue_name="%NS%-work", connection="DATA")
@app.queue_output(arg_name="out", queue_name="%NS%-done", connection="DATA")
def work(msg: func.QueueMessage, out: func.Out[str]) -> None:
    """The body says what to do at which dequeue count, as in {"1": "crash", "2": "fail"}; else it succeeds."""
    body = json.loads(msg.get_body())
    out.set(json.dumps({"name": body.get("name"), "dequeue_count": msg.dequeue_count}))
    match body.get(str(msg.dequeue_count), body.get("always")):
        case "fail":
            raise RuntimeError("told to fail")
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            raise SystemExit(3)
        case "hang":
            while True:
                time.sleep(0.05)
        case "wait":
            while not Path(body["until"]).exists():
                time.sleep(0.02)


@app.blob_trigger(arg_name="blob", path="%NS%-bad/{name}", connection="DATA")
def bad_blob(blob: func.InputStream) -> None:
    raise RuntimeError("told to fail")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
@app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
@app.queue_output(arg_name="out", queue_name="%NS%-done", connection="DATA")
def retried(timer: func.TimerRequest, context: func.Context, out: func.Out[str]) -> None:
    if context.retry_context.retry_count < 2:
        raise RuntimeError(f"attempt {context.retry_context.retry_count}")
    out.set(json.dumps({"attempt": context.retry_context.retry_count, "of": context.retry_context.max_retry_count}))
