"""The loop on what is deployed: the built package with its own dependencies, on the platform's Python."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaged import packaged, packages_in_use, packages_of

from examples.census.files import derive
from infra.packaging import PYTHON
from infra.pythons import pythons, what_to_do
from local.api import FunctionApi
from local.drop import drop
from local.environment import Environment, install_storage
from local.following import follow
from local.host.worker_process import PYTHON_SETTING
from local.timeline import Timeline


def test_a_file_is_promoted_by_the_packaged_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = next(pythons(PYTHON), None)
    if python is None:
        pytest.skip(what_to_do(PYTHON))
    app = packaged(tmp_path / "package", PYTHON)
    monkeypatch.setenv(PYTHON_SETTING, python)
    install_storage(lambda line: None)
    with Environment(tmp_path / "state", lambda line: None, app=app) as environment:
        addresses = environment.start(derive)
        files = derive(tmp_path / "files")
        with FunctionApi(addresses.functions_url, addresses.function_key) as api:
            at = drop(addresses.storage, files.larger, "census", "larger.csv")
            settled = follow(api, "census/larger.csv", at, Timeline(), environment.check, 60)

        assert settled.outcome == "PROMOTED", settled.reason
        if sys.platform == "linux":
            assert packages_in_use(worker_of(app), "numpy") == {packages_of(app)}


def worker_of(app: Path) -> int:
    """The process that runs the functions of a folder."""
    commands = {int(path.parent.name): read(path) for path in Path("/proc").glob("[0-9]*/cmdline")}
    (pid,) = (pid for pid, words in commands.items() if "local.host.worker" in words and str(app) in words)
    return pid


def read(path: Path) -> list[str]:
    try:
        return path.read_text().split("\0")
    except OSError:  # it has ended
        return []
