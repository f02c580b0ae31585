"""For each test module a storage of its own and a deployment over it; further deployments; experiments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from deployment import Deploy, Deployment, JobsClient, Serving, Storage
from doorway import Doorway
from exchanges import DATA, people

from local.azurite import Azurite


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    with Storage(tmp_path_factory.mktemp("azurite")) as storage:
        yield storage


@pytest.fixture
def deploy(storage: Storage, tmp_path: Path) -> Iterator[Deploy]:
    """Make deployments over the module's storage; short leases, so that a killed worker is noticed soon."""
    with ExitStack() as stack:

        def make(**extra: str) -> Deployment:
            settings = {"STUDIO_LEASE_SECONDS": "3", **extra}
            return stack.enter_context(Deployment(storage.connection_string, tmp_path, **settings))

        yield make


@pytest.fixture
def slow_experiment(tmp_path: Path) -> Path:
    """The small experiment with so many trees that its training takes about a second."""
    path = tmp_path / "slow.toml"
    text = (DATA / "income.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("= 10\n", "= 600\n"), encoding="utf-8")
    return path


@pytest.fixture
def quick_experiment() -> Path:
    return DATA / "income.toml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return people(tmp_path / "train.csv", 3000)


@pytest.fixture(scope="module")
def _serving(storage: Storage, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder, door = tmp_path_factory.mktemp("serving"), Doorway(azurite.ports.blob)
    settings = {"STUDIO_LEASE_SECONDS": "3", "STUDIO_BLOB_HOSTS": f"127.0.0.1:{door.port}"}
    with closing(door), Deployment(storage.connection_string, folder, **settings) as deployment:
        data = people(folder / "train.csv", 3000)
        publication = deployment.publish(DATA / "income.toml", data, "live")
        deployment.serve()
        inputs = azurite.connection_string
        way = inputs.replace(f":{azurite.ports.blob}/", f":{door.port}/")
        jobs = JobsClient(deployment, publication, inputs=inputs, way=way)
        jobs.upload("train.csv", data.read_bytes())
        yield Serving(deployment, publication, jobs, door)


@pytest.fixture
def serving(_serving: Serving) -> Iterator[Serving]:
    """What the tests of a module share, its doorway open, and no job left behind."""
    yield _serving
    _serving.door.open()
    _serving.jobs.cancel_what_runs()
