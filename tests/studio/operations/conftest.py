"""A storage of its own per test module, deployments over it, and slow and quick experiments."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from deployment import Deploy, Deployment, JobsClient, Storage
from exchanges import DATA, people


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
    """The small experiment with so many trees that it can be caught at work, whatever the machine."""
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


@pytest.fixture
def started(deploy: Deploy, slow_experiment: Path, data: Path) -> tuple[Deployment, JobsClient, Any]:
    """A deployment with the slow experiment published and training data in place."""
    deployment = deploy()
    publication = deployment.publish(slow_experiment, data, "live")
    server = deployment.serve()
    jobs = JobsClient(deployment, publication)
    jobs.upload("train.csv", data.read_bytes())
    return deployment, jobs, server
