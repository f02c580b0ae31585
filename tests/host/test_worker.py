"""What happens when the worker process does not do as it should."""

from __future__ import annotations

import json
import logging
import os
import signal
from pathlib import Path

import httpx
import pytest

from host.world import World, eventually
from local.host.errors import AppError
from local.host.host import FunctionsHost


def test_a_worker_that_crashes_mid_invocation_is_replaced_and_the_message_retried(world: World) -> None:
    host = world.host("failing")
    first = host.worker_pid

    world.send("work", '{"name": "n", "1": "crash"}')

    (result,) = world.await_messages("done")
    assert json.loads(result) == {"name": "n", "dequeue_count": 2}
    assert host.worker_pid not in (None, first)


def test_a_worker_killed_from_outside_is_replaced(world: World) -> None:
    host = world.host("basic")
    first = host.worker_pid
    assert first is not None

    os.kill(first, signal.SIGKILL)

    eventually(lambda: host.worker_pid not in (None, first), what="another worker")
    assert httpx.get(f"{host.url}/api/plain").text == "plain GET"


def test_a_function_that_outlasts_its_timeout_costs_the_worker_its_life(world: World, tmp_path: Path) -> None:
    """Its worker-mates fail with it, and their messages are retried too."""
    host = world.host("failing", AzureFunctionsJobHost__functionTimeout="00:00:06")  # longer than a start
    first = host.worker_pid

    world.send("work", '{"name": "hangs", "1": "hang"}')
    mate = {"name": "mate", "1": "wait", "until": str(tmp_path / "never")}
    world.send("work", json.dumps(mate))

    results = [json.loads(text) for text in world.await_messages("done", 2)]
    assert {(result["name"], result["dequeue_count"]) for result in results} == {("hangs", 2), ("mate", 2)}
    assert host.worker_pid != first


def test_a_request_that_is_running_in_a_killed_worker_is_500(world: World, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(_SUICIDE)
    host = world.host(tmp_path)

    assert httpx.get(f"{host.url}/api/die").status_code == 500
    assert httpx.get(f"{host.url}/api/die?not=now").text == "alive"


_SUICIDE = """
import os
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="die")
def die(req: func.HttpRequest) -> str:
    if not req.params:
        os._exit(9)
    return "alive"
"""

_HEAD = "import typing\nimport azure.functions as func\napp = func.FunctionApp()\n"
_QUEUE = '@app.queue_trigger(arg_name="msg", queue_name="q", connection="DATA")\n'
_OUT = '@app.queue_output(arg_name="out", queue_name="q", connection="DATA")\n'


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("def f(:", "SyntaxError"),
        ("x = 1", "exactly one top-level FunctionApp"),
        (_HEAD + "other = func.FunctionApp()", "it defines 2"),
        (_HEAD + "raise SystemExit(4)", "SystemExit: 4"),
        (_HEAD + _QUEUE + "def f(message: func.QueueMessage) -> None: ...", "f function: no binding .* 'message'"),
        (_HEAD + _QUEUE + _OUT + "def f(msg: func.QueueMessage) -> None: ...", "no parameter for its binding.* 'out'"),
        (_HEAD + _QUEUE + "def f(msg: int) -> None: ...", r"'msg' \(queueTrigger\) cannot be int"),
        (_HEAD + _QUEUE + "def f(msg: typing.Optional[str]) -> None: ...", "cannot be typing.Optional"),
        (_HEAD + _QUEUE + "def f(msg: func.Out[str]) -> None: ...", "is an input, but its parameter is annotated"),
        (_HEAD + _QUEUE + _OUT + "def f(msg: str, out: str) -> None: ...", "is an output, but its parameter is"),
        (
            _HEAD + _QUEUE + _OUT + "def f(msg: str, out: func.Out[list[str]]) -> None: ...",
            r"cannot be .*\[list\[",
        ),
        (_HEAD + _QUEUE + "def f(msg: str, context: int) -> None: ...", "azure.functions.Context"),
        (_HEAD + _QUEUE + "def f(msg: str): ...\n" + _QUEUE + "def f(msg: str): ...", "f"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "killed by signal 9"),
    ],
)
def test_a_broken_app_is_one_clear_error(world: World, tmp_path: Path, code: str, complaint: str) -> None:
    (tmp_path / "function_app.py").write_text(code)

    with pytest.raises(AppError, match=complaint):
        world.host(tmp_path)


def test_an_app_folder_without_an_app_is_said_so(world: World, tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"there is no function_app\.py in"):
        world.host(tmp_path)


def test_a_worker_that_cannot_come_back_is_tried_again_until_it_can(world: World, tmp_path: Path) -> None:
    script = tmp_path / "function_app.py"
    script.write_text(_SUICIDE)
    host = world.host(tmp_path)
    script.write_text("broken = ")
    assert httpx.get(f"{host.url}/api/die").status_code == 500
    eventually(lambda: host.worker_pid is None, what="a missing worker")

    script.write_text(_SUICIDE)

    assert httpx.get(f"{host.url}/api/die?not=now", timeout=30).text == "alive"


def test_a_stopped_host_leaves_no_worker_behind(world: World) -> None:
    host: FunctionsHost = world.host("basic")
    pid = host.worker_pid
    assert pid is not None

    host.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_host_stops_while_its_worker_is_being_replaced(world: World) -> None:
    host = world.host("basic")
    first = host.worker_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: host.worker_pid != first, what="the worker missed")

    host.stop()

    assert host.worker_pid is None


def test_what_a_thread_of_no_invocation_logs_is_dropped_as_on_azure(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "function_app.py").write_text(_IN_THREADS)
    host = world.host(tmp_path)

    assert httpx.get(f"{host.url}/api/log").text == "done"
    eventually(lambda: "in the function" in caplog.text, what="the function's own line")

    assert "in a thread that says whose it is" in caplog.text
    assert "alone in a thread" not in caplog.text
    assert "what 'lost' and other threads of no invocation log is dropped, as on Azure" in caplog.text


_IN_THREADS = """
import logging, threading
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="log")
def log(req: func.HttpRequest, context: func.Context) -> str:
    def attributed() -> None:
        context.thread_local_storage.invocation_id = context.invocation_id
        logging.info("in a thread that says whose it is")

    lost = lambda: logging.info("alone in a thread")
    for work, name in ((lost, "lost"), (lost, "lost too"), (attributed, "attributed")):
        thread = threading.Thread(target=work, name=name)
        thread.start()
        thread.join()
    logging.info("in the function")
    return "done"
"""
