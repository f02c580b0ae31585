"""azureml-inference-server-http, started as its users start it: one worker, an entry script, a model folder."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.places import BENCH, PEERS, ROOT
from benchmarks.server import Target, free_port
from benchmarks.setup import Kit

_BUILD_S = 300
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "WORKER_COUNT": "1"}


class Pipelines:
    """The scikit-learn pipelines that the peer serves, and the requests that every server gets; made once."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def folder(self, n_trees: int) -> Path:
        """Return the folder of a pipeline of so many trees."""
        folder = BENCH / "models" / f"{self._kit.adult.stem}-{n_trees}"
        if not (folder / "expected.json").exists():
            self._kit.run("build_model.py", self._kit.adult, folder, n_trees, timeout_s=_BUILD_S)
        return folder

    def requests(self, n_trees: int, wire: str) -> dict[int, Path]:
        """Return the request for each number of rows, in the wire format `service` or `peer`."""
        folder = self.folder(n_trees)
        return {n_rows: folder / f"{wire}_{n_rows}.json" for n_rows in (1, 100)}

    def expected(self, n_trees: int) -> list[float]:
        """Return the probabilities that every server must answer."""
        return [float(p) for p in json.loads((self.folder(n_trees) / "expected.json").read_text())]


def peer_as_used(kit: Kit, pipelines: Pipelines, n_trees: int, folder: Path | None = None) -> Target:
    """
    Return the server with the scikit-learn pipeline on a DataFrame.

    Args:
        folder: Where the model is; its own when None.
    """
    model = folder or pipelines.folder(n_trees)
    return _target(kit, "azmlinfsrv", pipelines.requests(n_trees, "peer"), {"AZUREML_MODEL_DIR": str(model)})


def peer_with_our_predictor(kit: Kit, pipelines: Pipelines, n_trees: int, model: Path) -> Target:
    """Return the server with our predictor in it: what is left is the server's own cost."""
    environment = {"RELEARN_MODEL": str(model), "PYTHONPATH": str(ROOT)}
    return _target(kit, "azmlinfsrv-our-predictor", pipelines.requests(n_trees, "peer"), environment)


def _target(kit: Kit, name: str, bodies: dict[int, Path], environment: dict[str, str]) -> Target:
    port = free_port()
    program = str(kit.python.parent / "azmlinfsrv")
    return Target(
        name=name,
        command=(program, "--entry_script", str(PEERS / "score.py"), "--port", str(port)),
        port=port,
        path="/score",
        bodies=bodies,
        environment={**_ONE_THREAD, **environment},
    )
