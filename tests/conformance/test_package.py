"""
The archive that is deployed, unpacked, with its own dependencies, not the source tree: indexed and run by our worker
and by Microsoft's.

Microsoft's library needs a newer Python than the deployed app, so the dependencies here are those of that Python; with
those of the deployed one the whole loop runs in tests/e2e.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaged import packaged, packages_in_use, packages_of

from infra.packaging import stage
from local.host.messages import Datum, Invoke, Kind, Request
from local.host.worker_process import OUR_WORKER, WorkerProcess, our_worker
from tests.conformance.conftest import ROOT, Start


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, runtime_python: str) -> Path:
    """What is deployed, with a model of another name, so that its answers show where they come from."""
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = subprocess.run([runtime_python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    app = packaged(tmp_path_factory.mktemp("package"), version)
    models = app / "models.toml"
    models.write_text(models.read_text().replace("[models.census", "[models.packaged"))
    return app


def test_the_package_runs_in_both_workers(
    start: Start, theirs: tuple[str, ...], runtime_python: str, package: Path
) -> None:
    declared = {source.name for source in start(ROOT, OUR_WORKER).functions()}

    for command in (our_worker(runtime_python), theirs):
        worker = start(package, command)
        assert {source.name for source in worker.functions()} == declared
        assert _models(worker) == ["packaged"]
        if sys.platform == "linux":
            assert packages_in_use(worker.pid, "numpy") == {packages_of(package)}


@pytest.mark.parametrize("source", ["EventGrid", "LogsAndContainerScan"])
def test_the_blob_triggers_source_is_a_setting(start: Start, source: str, tmp_path: Path) -> None:
    stage(tmp_path / "app")  # one worker serves one folder
    worker = start(tmp_path / "app", OUR_WORKER, {"TRAINING_DATA_SOURCE": source})
    (trigger,) = (
        json.loads(binding)
        for function in worker.functions()
        if function.name == "training_data_arrived"
        for binding in function.raw_bindings
    )

    assert trigger["source"] == source


def _models(worker: WorkerProcess) -> list[str]:
    request = Request("GET", "http://x/api/health", {}, {}, {}, None)
    outcome = worker.invoke(Invoke("1", "health", {"req": Datum(Kind.HTTP, request)}, {})).result(60)
    assert outcome.failure is None, outcome.failure
    return list(json.loads(outcome.outputs["$return"].value.body)["models"])
