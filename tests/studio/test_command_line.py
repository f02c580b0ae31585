"""The programs as a person starts them: `serve` with its worker, `publish`, and what they say when they cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import ContainerClient
from exchanges import DATA, SECRET, TOKEN, VERSION, bearer, people, wait_for

from studio.batch.training_slot import TrainingSlots, n_cores, n_slots_on

ROOT = Path(__file__).parents[2]
Start = Callable[..., "Program"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def env(azurite: Any, port: int) -> dict[str, str]:
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("STUDIO_")},
        "STUDIO_STORAGE": azurite.connection_string,
        "STUDIO_URL": f"http://127.0.0.1:{port}",
        "STUDIO_SECRET": SECRET,
        "STUDIO_WORKSPACE": uuid.uuid4().hex,
        "STUDIO_WORKSPACE_TOKEN": TOKEN,
    }


@dataclass(frozen=True)
class Program:
    """A program that runs in the background, and the file that holds its log."""

    process: subprocess.Popen[bytes]
    log: Path

    def logged(self, event: str) -> dict[str, Any] | None:
        """Return the fields of the first event of that name, None when it was not logged yet."""
        lines = (line for line in self.log.read_text(encoding="utf-8").splitlines() if f" {event} " in line)
        return next((json.loads(line[line.index("{") :]) for line in lines), None)


@pytest.fixture
def start(env: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    """Start `python -m studio …` in the background; whatever still runs at the end is stopped."""
    running: list[Program] = []

    def start(*arguments: str) -> Program:
        log = tmp_path / f"program-{len(running)}.log"
        command = [sys.executable, "-m", "studio", *arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=output)  # noqa: S603
        running.append(Program(process, log))
        return running[-1]

    yield start
    for program in running:
        program.process.terminate()
        program.process.wait(30)


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "studio", *arguments]
    return subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def publish(env: dict[str, str], directory: Path) -> dict[str, Any]:
    data = people(directory / "early.csv", 300)
    arguments = ["publish", str(DATA / "income.toml"), "--data", str(data), "--endpoint", "live", "--json"]
    finished = run(env, *arguments)
    assert finished.returncode == 0, finished.stderr
    return dict(json.loads(finished.stdout))


def test_a_served_publication_trains_and_is_stopped_as_a_whole(
    env: dict[str, str], start: Start, box: ContainerClient, tmp_path: Path
) -> None:
    url = env["STUDIO_URL"]
    server = start("serve", "--port", url.rpartition(":")[2])
    published = publish(env, tmp_path)
    wait_for(lambda: is_ready(url), "the service to be ready")
    box.upload_blob("train.csv", people(tmp_path / "train.csv", 400, seed=3).read_bytes())
    reference = {
        "ConnectionString": env["STUDIO_STORAGE"],
        "RelativeLocation": f"{box.container_name}/train.csv",
    }
    jobs, headers = published["training"]["jobs_url"], bearer(published["training"]["primary_key"])

    with httpx.Client(trust_env=False, headers=headers) as client:
        job = client.post(jobs + VERSION, json={"Inputs": {"input1": reference}}).json()
        client.post(f"{jobs}/{job}/start{VERSION}")
        states = set[str]()

        def has_ended() -> bool:
            states.add(client.get(f"{jobs}/{job}{VERSION}").json()["StatusCode"])
            return bool(states & {"Finished", "Failed", "Cancelled"})

        wait_for(has_ended, "the job to end", seconds=60)
    server.process.send_signal(signal.SIGTERM)

    assert "Finished" in states
    assert server.process.wait(30) == 0
    assert not is_ready(url)


def test_workers_end_when_the_server_is_killed(start: Start, port: int) -> None:
    server = start("serve", "--port", str(port))
    wait_for(lambda: server.logged("worker.started") is not None, "the worker to start")
    worker = int((server.logged("worker.started") or {})["worker_pid"])
    assert is_alive(worker)

    server.process.kill()

    wait_for(lambda: not is_alive(worker), "the worker to end with its server")


def test_a_worker_that_dies_is_replaced(start: Start, port: int) -> None:
    server = start("serve", "--port", str(port))
    wait_for(lambda: server.logged("worker.started") is not None, "the worker to start")

    os.kill(int((server.logged("worker.started") or {})["worker_pid"]), signal.SIGKILL)

    wait_for(lambda: server.logged("worker.restarted") is not None, "another worker")
    assert is_alive(int((server.logged("worker.restarted") or {})["worker_pid"]))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_port_in_use_is_one_sentence(env: dict[str, str], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        finished = run(env, "serve", "--port", str(port))

    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in finished.stderr


@pytest.mark.parametrize("command", [["serve"], ["work"], ["publish", "a.toml", "--data", "a.csv"]])
def test_missing_settings_are_named_together_before_anything_starts(env: dict[str, str], command: list[str]) -> None:
    bare = {key: value for key, value in env.items() if not key.startswith("STUDIO_")}

    finished = run(bare, *command)

    assert finished.returncode == 1
    for key in ("STUDIO_STORAGE", "STUDIO_URL", "STUDIO_SECRET"):
        assert key in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_file_that_is_not_there_is_one_message(env: dict[str, str]) -> None:
    finished = run(env, "publish", "absent.toml", "--data", "absent.csv", "--json")

    assert (finished.returncode, finished.stdout) == (1, "")
    assert "there is no file absent.toml" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_publishing_beside_a_training_job_waits_for_its_end_and_says_so(
    env: dict[str, str], start: Start, tmp_path: Path
) -> None:
    # The places are files in the temporary directory, which is this test's own here.
    env["TMPDIR"] = str(tmp_path)
    held = [TrainingSlots(directory=tmp_path / f"studio-slots-{os.getuid()}") for _ in range(n_slots_on(n_cores()))]
    assert all(slots.take() for slots in held)
    data = people(tmp_path / "early.csv", 300)

    program = start("publish", str(DATA / "income.toml"), "--data", str(data))
    said = f"python -m studio: waiting for one of {len(held)} training slots… 0 s\n"
    wait_for(lambda: said in program.log.read_text(encoding="utf-8"), "the program to say that it waits")
    is_waiting = program.process.poll() is None
    for slots in held:
        slots.free()

    assert is_waiting
    assert program.process.wait(60) == 0


def test_another_secret_is_one_message(env: dict[str, str], tmp_path: Path) -> None:
    publish(env, tmp_path)

    finished = run(
        {**env, "STUDIO_SECRET": "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Q="},
        *("publish", str(DATA / "income.toml"), "--data", str(tmp_path / "early.csv")),
    )

    assert finished.returncode == 1
    assert "another STUDIO_SECRET" in finished.stderr
    assert "Traceback" not in finished.stderr
