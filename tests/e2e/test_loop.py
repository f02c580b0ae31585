"""The whole loop on real parts: drop a file, and a better model serves, or the old one with a stated reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from examples.census.files import CensusFiles, derive
from local.api import FunctionApi
from local.drop import drop
from local.environment import Addresses, Environment, install_storage
from local.following import Settled, follow
from local.scoring import Answer, ask, sample_rows
from local.timeline import Timeline

ADULT = Path(__file__).parents[2].parent / "shared" / "data" / "adult" / "adult.csv"


@dataclass
class Loop:
    """A running environment with Census Model published, its champion trained on a small early file."""

    environment: Environment
    addresses: Addresses
    files: CensusFiles
    api: FunctionApi

    def drop(self, path: Path, name: str | None = None) -> Settled:
        name = name or path.name
        at = drop(self.addresses.storage, path, "census", name)
        return follow(self.api, f"census/{name}", at, Timeline(), self.environment.check, 120)

    def ask_live(self) -> list[Answer]:
        return ask(self.addresses.publication.endpoints["live"], sample_rows(self.files.holdout, 10))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loop]:
    folder = tmp_path_factory.mktemp("loop")
    data = ADULT if ADULT.is_file() else None
    if data is None:
        print("UCI Adult is not beside the project: the loop runs on synthetic rows")  # noqa: T201
    files = derive(folder / "files", data)
    install_storage(lambda line: None)
    with Environment(folder / "state", lambda line: None) as environment:
        addresses = environment.start(lambda _: files)
        with FunctionApi(addresses.functions_url, addresses.function_key) as api:
            yield Loop(environment, addresses, files, api)


def test_files_become_a_served_model_or_a_reason(loop: Loop) -> None:
    """One test, since each file is judged against what the files before it left in place."""
    before = loop.ask_live()

    better = loop.drop(loop.files.larger)
    assert better.outcome == "PROMOTED", better.reason
    assert better.run
    assert better.run.verdict
    assert better.run.verdict["paired"]
    served = loop.ask_live()
    assert served != before

    same = loop.drop(loop.files.larger, "again.csv")
    assert same.outcome == "DUPLICATE"
    assert same.run is None

    worse = loop.drop(loop.files.shuffled)
    assert worse.outcome == "REJECTED", worse.reason
    assert loop.ask_live() == served

    broken = loop.drop(loop.files.text_in_number.path)
    assert broken.outcome == "QUARANTINED"
    problem = broken.dataset.problems[0]
    assert (problem["line"], problem["column"]) == (loop.files.text_in_number.line, loop.files.text_in_number.column)

    assert sorted(run.state for run in loop.api.runs()) == ["PROMOTED", "REJECTED"]


def test_the_http_functions_want_a_key_and_health_does_not(loop: Loop) -> None:
    url = loop.addresses.functions_url

    assert requests.get(f"{url}/api/health", timeout=10).json()["models"] == ["census"]
    assert requests.get(f"{url}/api/runs", timeout=10).status_code == 401
    with_key = {"x-functions-key": loop.addresses.function_key.reveal()}
    missing = requests.get(f"{url}/api/runs/nothing", headers=with_key, timeout=10)
    assert missing.status_code == 404
    assert "there is no run 'nothing'" in missing.json()["error"]


def test_no_secret_is_in_the_logs(loop: Loop) -> None:
    """Keys that the environment made, and signatures of references, must not be in any part's log."""
    logs = {path.name: path.read_text(errors="replace") for path in loop.environment.state.logs.iterdir()}
    endpoints = loop.addresses.publication.endpoints.values()
    secrets = [endpoint.key.reveal() for endpoint in endpoints] + [loop.addresses.function_key.reveal()]

    assert logs
    for name, text in logs.items():
        assert not [secret for secret in secrets if secret in text], name
        assert "sig=" not in text.replace("sig=****", ""), name
