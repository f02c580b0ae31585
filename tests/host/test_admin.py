from __future__ import annotations

import json

import httpx
import pytest

from host.world import World, eventually
from local.host.host import FunctionsHost

KEY = "x-functions-key"


@pytest.fixture(scope="module")
def host(shared_world: World) -> FunctionsHost:
    return shared_world.host("basic")


def test_ping_is_open(host: FunctionsHost) -> None:
    assert httpx.get(f"{host.url}/admin/host/ping").status_code == 200


@pytest.mark.parametrize("path", ["host/status", "functions", "functions/order"])
def test_all_else_takes_the_master_key(host: FunctionsHost, path: str) -> None:
    answers = [
        httpx.get(f"{host.url}/admin/{path}", headers={KEY: key}).status_code
        for key in ("", "wrong", host.function_key, host.master_key)
    ]

    assert answers == [401, 401, 401, 200]


def test_functions_are_listed_with_their_bindings(host: FunctionsHost) -> None:
    listed = httpx.get(f"{host.url}/admin/functions", headers={KEY: host.master_key}).json()

    described = {function["name"]: function["config"]["bindings"] for function in listed}
    assert {"echo", "order", "file_arrived", "tick"} <= set(described)
    (trigger,) = [binding for binding in described["tick"] if binding["type"] == "timerTrigger"]
    assert (trigger["schedule"], trigger["direction"]) == ("%SCHEDULE%", "IN")


@pytest.mark.parametrize(
    ("function", "queue", "text", "key", "expected"),
    [
        ("ORDER", "results", "by hand", "body", "by hand"),
        ("tick", "ticks", "", "past_due", False),
    ],
)
def test_a_function_is_run_by_hand(
    shared_world: World, host: FunctionsHost, function: str, queue: str, text: str, key: str, expected: object
) -> None:
    shared_world.run_by_hand(host, function, text)

    (result,) = shared_world.await_messages(queue)
    assert json.loads(result)[key] == expected


def test_a_blob_function_is_run_by_hand_for_a_named_blob(world: World) -> None:
    host = world.host("basic", **{"AzureWebJobs.file_arrived.Disabled": "true"})
    world.upload("files", "m/a.csv", b"1")
    world.upload("streams", "s", b"22")

    world.run_by_hand(host, "stream_arrived", f"{world.namespace}-streams/s")

    results = [json.loads(text) for text in world.await_messages("results", 2)]
    assert results == [{"name": "s", "size": 2}] * 2  # by its trigger, and by hand


def test_an_http_function_is_run_by_hand(host: FunctionsHost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")

    httpx.post(f"{host.url}/admin/functions/plain", headers={KEY: host.master_key}, json={"input": "x"})

    eventually(lambda: "Executed 'Functions.plain' (Succeeded" in caplog.text, what="the run")


@pytest.mark.parametrize(("function", "body", "status"), [("none", "{}", 404), ("tick", "[]", 400), ("tick", "{", 400)])
def test_a_run_by_hand_that_makes_no_sense_is_refused(
    host: FunctionsHost, function: str, body: str, status: int
) -> None:
    answer = httpx.post(f"{host.url}/admin/functions/{function}", headers={KEY: host.master_key}, content=body)

    assert answer.status_code == status


def test_a_function_in_error_is_left_out_and_said_so(world: World) -> None:
    host = world.host("basic", SCHEDULE="%MISSING%", NOTHING="")

    status = httpx.get(f"{host.url}/admin/host/status", headers={KEY: host.master_key}).json()

    assert status["errors"] == [
        "The 'tick' function is in error: schedule '%MISSING%' must have six fields: "
        "second minute hour day month day-of-week"
    ]
    assert httpx.get(f"{host.url}/api/plain").status_code == 200


def test_a_setting_that_is_missing_is_named(world: World) -> None:
    settings = {"NS": world.namespace, "DATA": world.connection, "AzureWebJobsStorage": world.connection}
    host = world.host_with("basic", settings)

    assert host.errors == {"tick": "'%SCHEDULE%' in '%SCHEDULE%' cannot be resolved: there is no setting 'SCHEDULE'"}
