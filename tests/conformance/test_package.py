"""The packaged app, not the source tree: the same functions, indexed and run by our worker and by Microsoft's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.packaging import stage
from local.host.messages import Datum, Invoke, Kind, Request
from local.host.worker_process import OUR_WORKER, WorkerProcess
from tests.conformance.conftest import ROOT, Start


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is deployed, with a model of another name, so that its answers show where they come from."""
    app = tmp_path_factory.mktemp("package") / "app"
    stage(app)
    models = app / "models.toml"
    models.write_text(models.read_text().replace("[models.census", "[models.packaged"))
    return app


def test_the_package_runs_in_both_workers(start: Start, theirs: tuple[str, ...], packaged: Path) -> None:
    declared = {source.name for source in start(ROOT, OUR_WORKER).functions()}

    for command in (OUR_WORKER, theirs):
        worker = start(packaged, command)
        assert {source.name for source in worker.functions()} == declared
        assert _models(worker) == ["packaged"]


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
