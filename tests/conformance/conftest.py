"""Finds or makes a Python that has Microsoft's worker library, and starts its worker and ours."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from infra.pythons import pythons, what_to_do
from local.azurite import Azurite
from local.host.worker_process import OUR_WORKER, WorkerProcess

ROOT = Path(__file__).parents[2]
Start = Callable[..., WorkerProcess]
_VERSIONS = ("3.14", "3.13")


@pytest.fixture(scope="session")
def runtime_python() -> str:
    """The program of a virtual environment with the function app's requirements and the worker library."""
    python = next(pythons(*_VERSIONS), None)
    if python is None:
        pytest.skip(f"Microsoft's worker library needs Python 3.13 or newer: {what_to_do('3.13')}")
    (ROOT / ".local").mkdir(exist_ok=True)
    target = ROOT / ".local" / f"conformance-{_digest(python)}"
    with (ROOT / ".local" / "conformance.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test process makes it, the others wait
        if not (target / "complete").exists():
            _make(python, target)
    return str(target / "bin" / "python")


@pytest.fixture(scope="module")
def start(azurite: Azurite) -> Iterator[Start]:
    """Start a worker for an app; the second time, return the first."""
    workers: dict[tuple[Path, tuple[str, ...]], WorkerProcess] = {}

    def begin(directory: Path, command: tuple[str, ...], settings: Mapping[str, str] | None = None) -> WorkerProcess:
        storage = {"DATA": azurite.connection_string, "DATA_STORAGE": azurite.connection_string}
        environment = {**os.environ, **_sample_settings(), **storage, "NS": "conformance", **(settings or {})}
        if (directory, command) not in workers:
            workers[directory, command] = WorkerProcess(directory, environment, lambda line: None, command)
        return workers[directory, command]

    yield begin
    for worker in workers.values():
        worker.stop()


@pytest.fixture(scope="module")
def theirs(runtime_python: str) -> tuple[str, ...]:
    """Microsoft's worker."""
    return (runtime_python, "-m", "tests.conformance.runtime_worker")


@pytest.fixture(scope="module", params=["this Python", "the Python of Microsoft's worker"])
def ours(request: pytest.FixtureRequest, runtime_python: str) -> tuple[str, ...]:
    """Our worker, also on the other Python, which comes with another generation of the `azure-functions` library."""
    return OUR_WORKER if request.param == "this Python" else (runtime_python, *OUR_WORKER[1:])


def _sample_settings() -> dict[str, str]:
    return dict(json.loads((ROOT / "local.settings.sample.json").read_text())["Values"])


def _digest(python: str) -> str:
    pins = (ROOT / "requirements.txt").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    return hashlib.sha256(pins + python.encode()).hexdigest()[:12]


def _make(python: str, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    packages = ["-r", str(ROOT / "requirements.txt"), "-c", str(ROOT / "constraints.txt"), "azure-functions-runtime"]
    install = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([python, "-m", "venv", str(target)], [*install, *packages]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            pytest.fail(f"the conformance tests' environment cannot be made: {done.stderr[-600:]}", pytrace=False)
    (target / "complete").touch()
