"""Both workers load the same apps and are asked the same; they must answer alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from local.host.errors import AppError
from local.host.messages import Attempt, BlobName, Datum, Failure, Invoke, Kind, Outcome, Request, Response, Source
from local.host.worker_process import OUR_WORKER, WorkerProcess
from tests.conformance.conftest import Start

ROOT = Path(__file__).parents[2]
BASIC, FAILING = (ROOT / "tests" / "host" / "apps" / name for name in ("basic", "failing"))
ANSWER_S = 30.0


def _comparable(source: Source) -> tuple[str, list[Any], Any]:
    retry = source.retry and (source.retry["max_retry_count"], source.retry["strategy"])
    return source.name, [json.loads(text) for text in source.raw_bindings], retry


@pytest.mark.parametrize("app", [BASIC, FAILING, ROOT], ids=["basic", "failing", "function_app"])
def test_both_workers_describe_the_same_functions(
    start: Start, ours: tuple[str, ...], theirs: tuple[str, ...], app: Path
) -> None:
    described, expected = start(app, ours).functions(), start(app, theirs).functions()

    assert [_comparable(source) for source in described] == [_comparable(source) for source in expected]
    assert described


@pytest.mark.parametrize(
    "code",
    [
        "import nothing_of_that_name",
        "x = 1",
        "other = func.FunctionApp()",
        "{queue}def f(message: func.QueueMessage) -> None: ...",
        "{queue}{out}def f(msg: func.QueueMessage) -> None: ...",
        "{queue}def f(msg: int) -> None: ...",
        "{queue}def f(msg: typing.Optional[str]) -> None: ...",
        "{queue}def f(msg: func.Out[str]) -> None: ...",
        "{queue}{out}def f(msg: str, out: str) -> None: ...",
        "{queue}{out}def f(msg: str, out: func.Out[list[str]]) -> None: ...",
        "{queue}def f(msg: str, context: int) -> None: ...",
        "{queue}def f(msg: str): ...\n{queue}def f(msg: str): ...",
        '@app.route(route="r")\ndef f(req: str) -> None: ...',
        '@app.route(route="r")\ndef f(req: func.HttpRequest) -> int: ...',
    ],
)
def test_what_one_worker_refuses_to_load_the_other_refuses_too(
    start: Start, ours: tuple[str, ...], theirs: tuple[str, ...], tmp_path: Path, code: str
) -> None:
    head = "import typing\nimport azure.functions as func\napp = func.FunctionApp()\n"
    queue = '@app.queue_trigger(arg_name="msg", queue_name="q", connection="DATA")\n'
    out = '@app.queue_output(arg_name="out", queue_name="q", connection="DATA")\n'
    body = code.replace("{queue}", queue).replace("{out}", out)
    (tmp_path / "function_app.py").write_text("x = 1" if code == "x = 1" else head + body)

    for command in (ours, theirs):
        with pytest.raises(AppError):
            start(tmp_path, command).functions()


def _http(method: str = "GET", body: bytes | None = None, **route: str) -> dict[str, Datum]:
    request = Request(method, "http://x/api/y?q=1", {"x-own": "1"}, {"q": "1"}, route, body)
    return {"req": Datum(Kind.HTTP, request)}


def _text(value: str) -> Datum:
    return Datum(Kind.STRING, value)


def _json(value: object) -> Datum:
    return Datum(Kind.JSON, json.dumps(value))


MESSAGE = {"Id": _text("m1"), "DequeueCount": _json(2), "InsertionTime": _json("2026-06-01T12:00:00+00:00")}
BLOB = {"BlobTrigger": _text("c/a.csv"), "Properties": _json({"ContentLength": 3}), "Uri": _json("http://x/c/a.csv")}
STATUS = {"Last": "2026-06-01T12:00:00+00:00", "Next": "2026-06-01T13:00:00+00:00"}
CASES: dict[str, tuple[Path, Invoke]] = {
    "http with everything": (BASIC, Invoke("1", "echo", _http("POST", "é".encode(), id="7"), {})),
    "http without a body": (BASIC, Invoke("2", "echo", _http(id="7"), {})),
    "http returning text": (BASIC, Invoke("3", "plain", _http(), {})),
    "http raising": (BASIC, Invoke("4", "broken", _http(), {})),
    "http returning nothing": (BASIC, Invoke("5", "nothing", _http(), {})),
    "http for administrators": (BASIC, Invoke("19", "secret", _http(), {})),
    "queue of another app": (FAILING, Invoke("20", "work", {"msg": _text('{"name": "n"}')}, MESSAGE)),
    "queue failing": (FAILING, Invoke("21", "work", {"msg": _text('{"2": "fail"}')}, MESSAGE)),
    "queue with a body that is no JSON": (FAILING, Invoke("22", "work", {"msg": _text("{")}, MESSAGE)),
    "blob failing": (FAILING, Invoke("23", "bad_blob", {"blob": _text("x")}, BLOB)),
    "queue": (BASIC, Invoke("6", "order", {"msg": _text("hello")}, MESSAGE)),
    "queue with a body's bad time": (
        BASIC,
        Invoke("7", "order", {"msg": _text("{}")}, {**MESSAGE, "InsertionTime": _text("soon")}),
    ),
    "queue with a body's bad count": (
        BASIC,
        Invoke("8", "order", {"msg": _text("{}")}, {**MESSAGE, "DequeueCount": _text("many")}),
    ),
    "queue with two outputs": (BASIC, Invoke("9", "split", {"msg": _text("a")}, MESSAGE)),
    "blob bytes": (BASIC, Invoke("10", "file_arrived", {"blob": Datum(Kind.BYTES, b"\xff\x00a")}, BLOB)),
    "blob text": (BASIC, Invoke("11", "file_arrived", {"blob": _text("é")}, BLOB)),
    "blob as SDK type": (
        BASIC,
        Invoke("12", "stream_arrived", {"client": Datum(Kind.MODEL_BINDING_DATA, BlobName("DATA", "sdk", "b"))}, BLOB),
    ),
    "blob as SDK type over a missing connection": (
        BASIC,
        Invoke("13", "stream_arrived", {"client": Datum(Kind.MODEL_BINDING_DATA, BlobName("NO", "sdk", "b"))}, BLOB),
    ),
    "timer": (
        BASIC,
        Invoke("14", "tick", {"timer": _json({"Schedule": {}, "ScheduleStatus": STATUS, "IsPastDue": True})}, {}),
    ),
    "timer without a status": (BASIC, Invoke("15", "tick", {"timer": _json({"ScheduleStatus": None})}, {})),
    "an input that is not there": (BASIC, Invoke("16", "tick", {"other": _json({})}, {})),
    "first attempt": (FAILING, Invoke("17", "retried", {"timer": _json({})}, {}, Attempt(0, 2))),
    "last attempt": (FAILING, Invoke("18", "retried", {"timer": _json({})}, {}, Attempt(2, 2, Failure("x")))),
}


@pytest.mark.parametrize("case", CASES)
def test_both_workers_answer_an_invocation_alike(
    start: Start, ours: tuple[str, ...], theirs: tuple[str, ...], blob_service: BlobServiceClient, case: str
) -> None:
    app, invoke = CASES[case]
    if not blob_service.get_container_client("sdk").exists():
        blob_service.create_container("sdk")
    blob_service.get_blob_client("sdk", "b").upload_blob(b"12345", overwrite=True)

    answer, expected = (_answer(start(app, command), invoke) for command in (ours, theirs))

    assert _essence(answer) == _essence(expected)


def test_every_function_of_the_test_apps_has_a_case(start: Start) -> None:
    differ_by_nature = {"environment", "process"}
    declared = {source.name for app in (BASIC, FAILING) for source in start(app, OUR_WORKER).functions()}

    assert {invoke.function for _, invoke in CASES.values()} == declared - differ_by_nature


def _answer(worker: WorkerProcess, invoke: Invoke) -> Outcome:
    worker.functions()
    return worker.invoke(invoke).result(ANSWER_S)


def _essence(outcome: Outcome) -> Any:
    """Whether it failed and by which exception, else what was given; attributes of cookies are written differently."""
    if outcome.failure:
        return outcome.failure.message.partition(":")[0]
    return {name: (datum.kind, _value(datum)) for name, datum in outcome.outputs.items()}


def _value(datum: Datum) -> Any:
    match datum.kind, datum.value:
        case Kind.HTTP, Response(status, headers, cookies, body):
            return status, headers, [cookie.partition(";")[0] for cookie in cookies], body
        case Kind.JSON, text:
            return json.loads(text)
    return datum.value
