"""
Microsoft's worker library behind our protocol, so that a host can run it in place of our worker.

    python -m tests.conformance.runtime_worker FD DIRECTORY      (Python 3.13 or newer, with azure-functions-runtime)
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as runtime

from local.host.messages import (
    BlobName,
    Broken,
    Channel,
    Datum,
    Failure,
    Invoke,
    Kind,
    LogLine,
    Outcome,
    Ready,
    Request,
    Response,
    Source,
)
from tests.conformance import protos


def _request(**fields: Any) -> SimpleNamespace:
    properties = {"host": "127.0.0.1", "protos": protos}
    return SimpleNamespace(request=SimpleNamespace(**fields), properties=properties)


async def _load(directory: Path) -> tuple[Ready | Broken, dict[str, Any]]:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(directory))
    answer = await runtime.worker_init_request(_request(worker_init_request=init))
    if answer.result.status != protos.StatusResult.Success:
        return Broken(Failure(answer.result.exception.message, answer.result.exception.stack_trace)), {}
    found = (await runtime.functions_metadata_request(_request())).function_metadata_results or []
    for function in found:
        load = SimpleNamespace(function_id=function.function_id)
        await runtime.function_load_request(_request(function_load_request=load))
    return Ready([_source(function) for function in found]), {function.name: function for function in found}


def _source(function: Any) -> Source:
    options = function.retry_options
    retry = {"max_retry_count": str(options.max_retry_count), "strategy": options.retry_strategy} if options else None
    return Source(function.name, function.raw_bindings, retry)


async def _invoke(invoke: Invoke, functions: dict[str, Any]) -> Outcome:
    attempt = invoke.attempt
    wanted = SimpleNamespace(
        invocation_id=invoke.invocation_id,
        function_id=functions[invoke.function].function_id,
        input_data=[protos.ParameterBinding(name=name, data=_typed(datum)) for name, datum in invoke.inputs.items()],
        trigger_metadata={name: _typed(datum) for name, datum in invoke.metadata.items()},
        trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
        retry_context=SimpleNamespace(
            retry_count=attempt.number, max_retry_count=attempt.limit, exception=attempt.failure
        ),
    )
    answer = await runtime.invocation_request(_request(invocation_request=wanted))
    if answer.result.status != protos.StatusResult.Success:
        return Outcome(invoke.invocation_id, failure=Failure(answer.result.exception.message))
    outputs = {binding.name: _datum(binding.data) for binding in answer.output_data}
    if answer.return_value is not None:
        outputs["$return"] = _datum(answer.return_value)
    return Outcome(invoke.invocation_id, outputs)


def _typed(datum: Datum) -> protos.TypedData:
    match datum.value:
        case Request() as request:
            return protos.TypedData(
                http=protos.RpcHttp(
                    method=request.method,
                    url=request.url,
                    headers=request.headers,
                    query=request.query,
                    params=request.route,
                    body=protos.TypedData() if request.body is None else protos.TypedData(bytes=request.body),
                )
            )
        case BlobName() as name:
            content = {"Connection": name.connection, "ContainerName": name.container, "BlobName": name.blob}
            return protos.TypedData(
                model_binding_data=SimpleNamespace(
                    version="1.0",
                    source="AzureStorageBlobs",
                    content_type="application/json",
                    content=json.dumps(content).encode(),
                )
            )
    return protos.TypedData(**({} if datum.kind is Kind.NONE else {datum.kind.value: datum.value}))


def _datum(data: protos.TypedData) -> Datum:
    kind = data.WhichOneof("data") or "none"
    value = getattr(data, kind)
    if kind != "http":
        return Datum(Kind(kind), value)
    body = value.body.bytes if value.body.bytes is not None else (value.body.string or "").encode()
    cookies = [f"{cookie.name}={cookie.value}" for cookie in value.cookies or ()]
    return Datum(Kind.HTTP, Response(int(value.status_code), value.headers, cookies, body))


class _Forward(logging.Handler):
    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        invocation = runtime.invocation_id_cv.get() or ""
        self._channel.send(LogLine(invocation, "", record.levelno, record.name, record.getMessage()))


def main(descriptor: int, directory: Path) -> None:
    sys.path[0] = str(directory)
    os.chdir(directory)
    channel = Channel(socket.socket(fileno=descriptor))
    logging.basicConfig(level=logging.INFO, handlers=[_Forward(channel)])
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    runtime.start_threadpool_executor()
    greeting, functions = loop.run_until_complete(_load(directory))
    channel.send(greeting)

    async def answer(invoke: Invoke) -> None:
        channel.send(await _invoke(invoke, functions))

    def receive() -> None:
        for message in channel:
            if isinstance(message, Invoke):
                asyncio.run_coroutine_threadsafe(answer(message), loop)
        loop.call_soon_threadsafe(loop.stop)

    threading.Thread(target=receive, daemon=True).start()
    loop.run_forever()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
