"""Every kind of trigger and output that the host runs, with results that a test can see."""

from __future__ import annotations

import json
import logging
import os
import typing

import azure.functions as func
import azurefunctions.extensions.bindings.blob as blobs

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
log = logging.getLogger("basic")


@app.route(route="echo/{id:int}", methods=["GET", "POST"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    log.info("echo runs")
    answer = {
        "id": req.route_params["id"],
        "method": req.method,
        "query": dict(req.params),
        "headers": dict(req.headers),
        "body": req.get_body().decode(),
        "invocation_id": context.invocation_id,
        "function": context.function_name,
    }
    headers = {"x-answer": "yes", "set-cookie": "a=b; Path=/"}
    return func.HttpResponse(json.dumps(answer), status_code=201, headers=headers, mimetype="application/json")


@app.route(route="plain", auth_level=func.AuthLevel.ANONYMOUS)
async def plain(req: func.HttpRequest) -> str:
    return f"plain {req.method}"


@app.route(route="secret", auth_level=func.AuthLevel.ADMIN)
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("opened")


@app.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("this function always fails")


@app.queue_trigger(arg_name="msg", queue_name="%NS%-orders", connection="DATA")
@app.queue_output(arg_name="out", queue_name="%NS%-results", connection="DATA")
def order(msg: func.QueueMessage, out: func.Out[str]) -> None:
    out.set(json.dumps({"body": msg.get_body().decode(), "id": msg.id, "dequeue_count": msg.dequeue_count}))


@app.queue_trigger(arg_name="msg", queue_name="%NS%-lists", connection="DATA")
@app.queue_output(arg_name="texts", queue_name="%NS%-results", connection="DATA")
@app.queue_output(arg_name="raw", queue_name="%NS%-raw-results", connection="DATA")
def split(msg: func.QueueMessage, texts: func.Out[typing.List[str]], raw: func.Out[bytes]) -> None:  # noqa: UP006
    texts.set([msg.get_body().decode(), "[1]"])
    raw.set(b'["kept", "whole"]')


@app.blob_trigger(arg_name="blob", path="%NS%-files/{model}/{name}.csv", connection="DATA", data_type="binary")
@app.queue_output(arg_name="out", queue_name="%NS%-results", connection="DATA")
def file_arrived(blob: func.InputStream, out: func.Out[str]) -> None:
    out.set(json.dumps({"name": blob.name, "length": blob.length, "content": blob.read().hex()}))


@app.blob_trigger(arg_name="client", path="%NS%-streams/{name}", connection="DATA")
@app.queue_output(arg_name="out", queue_name="%NS%-results", connection="DATA")
def stream_arrived(client: blobs.BlobClient, out: func.Out[str]) -> None:
    size = sum(len(chunk) for chunk in client.download_blob().chunks())
    out.set(json.dumps({"name": client.blob_name, "size": size}))


@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
@app.queue_output(arg_name="out", queue_name="%NS%-ticks", connection="DATA")
def tick(timer: func.TimerRequest, out: func.Out[str]) -> None:
    out.set(json.dumps({"past_due": timer.past_due, "status": timer.schedule_status}))


@app.route(route="environment", auth_level=func.AuthLevel.ADMIN)
def environment(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(os.environ)), mimetype="application/json")


@app.route(route="process", auth_level=func.AuthLevel.ADMIN)
def process(req: func.HttpRequest) -> str:
    return str(os.getpid())


@app.route(route="nothing", auth_level=func.AuthLevel.ANONYMOUS)
def nothing(req: func.HttpRequest) -> func.HttpResponse:
    return None  # type: ignore[return-value]
