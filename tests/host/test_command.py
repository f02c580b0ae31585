"""`python -m local.host` as a process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from host.world import APPS, World, eventually

_ROOT = Path(__file__).parents[2]


@contextmanager
def _command(world: World, log: Path, *options: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **world.settings, **settings}
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "local.host", "--port", "0", *options],
            cwd=_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _said(log: Path, pattern: str) -> str:
    found = eventually(lambda: re.search(pattern, log.read_text()), what=f"'{pattern}' in:\n{log.read_text()}")
    return str(found[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_announces_functions_and_keys_and_ends_cleanly(world: World, tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log"
    with _command(world, log, "--app", str(APPS / "basic"), "--blob-scan-interval", "1") as process:
        url = _said(log, r"Listening on (\S+)")
        key = _said(log, r"LOCAL_HOST_FUNCTION_KEY=(\S+)")
        assert httpx.get(f"{url}/api/echo/1", headers={"x-functions-key": key}).status_code == 201

        process.send_signal(number)

        assert process.wait(30) == 0
    text = log.read_text()
    assert f"echo: GET,POST {url}/api/echo/{{id:int}} (function)" in text
    assert f"order: queue '{world.namespace}-orders'" in text
    assert "tick: timer '0 0 0 1 1 *'" in text
    assert re.search(r"INFO Function\.echo\.User: \[[0-9a-f-]{36}\] echo runs", text)
    assert "Traceback" not in text


def test_given_keys_are_not_printed(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with _command(world, log, "--app", str(APPS / "basic"), LOCAL_HOST_MASTER_KEY="given-master") as process:
        _said(log, r"(Listening)")
        process.terminate()
        process.wait(30)

    assert "given-master" not in log.read_text()


def test_the_environment_wins_over_the_settings_file(world: World, tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "some.settings.json"
    file.write_text('{"IsEncrypted": false, "Values": {"SCHEDULE": "wrong", "LOCAL_HOST_FUNCTION_KEY": "from-file"}}')
    with _command(world, log, "--app", str(APPS / "basic"), "--settings", str(file)):
        url = _said(log, r"Listening on (\S+)")

        answer = httpx.get(f"{url}/api/echo/1", headers={"x-functions-key": "from-file"})

    assert answer.status_code == 201
    assert "tick: timer '0 0 0 1 1 *'" in log.read_text()


@pytest.mark.parametrize(
    ("settings", "options", "complaint"),
    [
        ({"SCHEDULE": "0 0 0 * * 7"}, (), r"tick: schedule '0 0 0 \* \* 7': days of the week are 0 \(Sunday\) to 6"),
        ({"NS": "%"}, (), r"Functions in error:"),
        ({"DATA": "nonsense"}, (), r"connection 'DATA' is set, but not to a storage connection string"),
        (
            {"AzureFunctionsJobHost__extensions__queues__batchSize": "99"},
            (),
            r"batchSize must be a whole number from 1",
        ),
        ({}, ("--settings", "nowhere.json"), r"nowhere\.json cannot be read"),
        ({}, ("--app", str(APPS)), r"there is no function_app\.py"),
    ],
)
def test_what_cannot_run_is_one_message_and_exit_code_1(
    world: World, tmp_path: Path, settings: dict[str, str], options: tuple[str, ...], complaint: str
) -> None:
    log = tmp_path / "log"
    with _command(world, log, "--app", str(APPS / "basic"), *options, **settings) as process:
        assert process.wait(60) == 1

    assert re.search(complaint, log.read_text())
    assert "Traceback" not in log.read_text()


def test_a_taken_port_is_said_so(world: World, tmp_path: Path) -> None:
    host, log = world.host("basic"), tmp_path / "log"
    port = host.url.rpartition(":")[2]

    with _command(world, log, "--app", str(APPS / "basic"), "--port", port) as process:
        assert process.wait(60) == 1

    assert f"Port {port} is taken: stop the program that uses it, or choose another port." in log.read_text()


def test_the_worker_ends_with_a_host_that_is_killed(world: World, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with _command(world, log, "--app", str(APPS / "basic"), LOCAL_HOST_MASTER_KEY="m") as process:
        url = _said(log, r"Listening on (\S+)")
        environment = httpx.get(f"{url}/api/process", headers={"x-functions-key": "m"})
        worker = int(environment.text)

        process.kill()
        process.wait()

    eventually(lambda: not _is_running(worker), what="the worker's end")


def test_a_worker_that_talks_ends_with_its_host_too(world: World, tmp_path: Path) -> None:
    """What the killed host had not read must not keep the worker from noticing."""
    log, pid_file = tmp_path / "log", tmp_path / "pid"
    (tmp_path / "function_app.py").write_text(_TALKING.replace("PID_FILE", str(pid_file)))
    with _command(world, log, "--app", str(tmp_path)) as process:
        url = _said(log, r"Listening on (\S+)")
        assert httpx.get(f"{url}/api/r").text == "r"
        worker = int(pid_file.read_text())
        _said(log, r"(words)")

        process.kill()
        process.wait()

    eventually(lambda: not _is_running(worker), what="the worker's end")


_TALKING = """
import logging, os, pathlib, threading
import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="r")
def r(req: func.HttpRequest, context: func.Context) -> str:
    pathlib.Path("PID_FILE").write_text(str(os.getpid()))
    threading.Thread(target=talk, args=(context,), daemon=True).start()
    return "r"


def talk(context):
    context.thread_local_storage.invocation_id = context.invocation_id
    while True:
        logging.info("words")
"""


def _is_running(pid: int) -> bool:
    """Whether a process lives; one that has ended but was not waited for by its new parent does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return bool(answer.stdout.strip()) and not answer.stdout.strip().startswith("Z")
