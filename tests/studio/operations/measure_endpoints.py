"""
Measures one scoring process with many endpoints, each with a model of its own: start, memory, swap, reload.

    python tests/studio/operations/measure_endpoints.py [N_ENDPOINTS]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parent), str(Path(__file__).parents[1])]

from deployment import Deployment, Storage, until_true  # noqa: E402 - the path is set above
from exchanges import DATA, ROW, people  # noqa: E402

from studio.bootstrap import Service, assemble  # noqa: E402
from studio.engine.experiment import parse_experiment  # noqa: E402
from studio.engine.training import train  # noqa: E402
from studio.services.catalog import Endpoint  # noqa: E402
from studio.services.endpoints import new_endpoint  # noqa: E402
from studio.settings import Settings  # noqa: E402
from studio.store.artifacts import ArtifactKind  # noqa: E402

_AT_ONCE = 90
_SAMPLE = 60


def main(n_endpoints: int) -> None:
    """Print one line per measure."""
    with tempfile.TemporaryDirectory() as name, Storage(Path(name, "azurite")) as storage:
        folder = Path(name)
        with Deployment(storage.connection_string, folder, STUDIO_MODEL_MEMORY_MIB="64") as deployment:
            _publish_many(deployment, folder, n_endpoints)
            began = time.perf_counter()
            server = deployment.serve(workers=0)
            print(f"{n_endpoints} endpoints ready after {time.perf_counter() - began:.1f} s")  # noqa: T201
            _measure(deployment, server.pid)


def _publish_many(deployment: Deployment, folder: Path, n_endpoints: int) -> None:
    """Publish one experiment and give each of many endpoints a model that differs from all others."""
    deployment.publish(_experiment(folder, 0), people(folder / "first.csv", 600), "live")
    service = _service(deployment)
    predictive = next(s for s in service.catalog.read().services.values() if s.resource)
    data = people(folder / "train.csv", 600)
    many = []
    for number in range(n_endpoints):
        text = _experiment(folder, number + 1).read_text(encoding="utf-8")
        model = train(parse_experiment(text, "many"), data, ".csv", threads=1).model_file
        digest = service.artifacts.put(ArtifactKind.MODEL, model)
        many.append(new_endpoint(predictive, f"c{number}", digest, datetime.now(UTC)))
    for start in range(0, n_endpoints, _AT_ONCE):
        service.store.save(many[start : start + _AT_ONCE])


def _experiment(folder: Path, seed: int) -> Path:
    path = folder / "many.toml"
    text = (DATA / "income.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("= 10\n", "= 100\n").replace("seed = 1", f"seed = {seed}"), encoding="utf-8")
    return path


def _service(deployment: Deployment) -> Service:
    return assemble(Settings.from_env(deployment.environment))


def _measure(deployment: Deployment, pid: int) -> None:
    service = _service(deployment)
    endpoints = [e for e in service.catalog.read().endpoints.values() if e.name.startswith("c")]
    first = [_score_ms(deployment, endpoint) for endpoint in endpoints[:_SAMPLE]]
    again = [_score_ms(deployment, endpoint) for endpoint in endpoints[:_SAMPLE]]
    _show("a request that loads its model", first)
    _show("a request for a loaded model", again)
    for endpoint in endpoints:
        _score_ms(deployment, endpoint)
    print(f"memory of the process after a request to each: {_resident_mib(pid):.0f} MiB")  # noqa: T201
    _show("a request whose model had made room", [_score_ms(deployment, endpoint) for endpoint in endpoints[:_SAMPLE]])
    _show("saved change until it is served", [_swap_ms(deployment, service, number) for number in range(5)])


def _score_ms(deployment: Deployment, endpoint: Endpoint) -> float:
    began = time.perf_counter()
    assert _answer(deployment, endpoint)
    return (time.perf_counter() - began) * 1000


def _answer(deployment: Deployment, endpoint: Endpoint) -> str:
    headers = {"Authorization": f"Bearer {endpoint.primary_key.reveal()}"}
    address = f"/workspaces/{endpoint.workspace}/services/{endpoint.id}/execute"
    answer = deployment.client.post(address, headers=headers, json=ROW).raise_for_status()
    return str(answer.json()["Results"]["output1"]["value"]["Values"][0][-1])


def _swap_ms(deployment: Deployment, service: Service, number: int) -> float:
    """Save another model for one endpoint, as a PATCH to another replica does, and wait for its answers."""
    endpoints = sorted(service.catalog.read().endpoints.values(), key=lambda endpoint: endpoint.name)
    target = next(e for e in endpoints if e.name == f"c{number}")
    before = _answer(deployment, target)
    other = next(e for e in endpoints if e.name.startswith("c") and _answer(deployment, e) != before)
    service.store.save([replace(target, model=other.model)])
    began = time.perf_counter()
    until_true(lambda: _answer(deployment, target) != before, "the new model to answer")
    return (time.perf_counter() - began) * 1000


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20 if status.exists() else float("nan")


def _show(what: str, values: list[float]) -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{what}: median {middle:.1f} ms, {low:.1f} to {high:.1f}")  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
