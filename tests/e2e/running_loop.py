"""A running environment with every example model published, as the tests of the whole loop use it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from examples.census.files import CensusFiles, derive
from examples.rentals.files import RentalFiles
from examples.rentals.files import derive as derive_rentals
from local.api import FunctionApi, Run
from local.drop import drop
from local.environment import Addresses, Environment, install_storage
from local.following import Settled, follow
from local.timeline import Timeline
from shared.wire import Table, scoring_answer, scoring_request

ADULT = Path(__file__).parents[2].parent / "shared" / "data" / "adult" / "adult.csv"

_WITHIN_S = 120


@dataclass
class Loop:
    """Champions were trained on small early files."""

    environment: Environment
    addresses: Addresses
    files: CensusFiles
    rentals: RentalFiles
    api: FunctionApi

    def drop(self, path: Path, name: str | None = None, model: str = "census") -> Settled:
        """Drop a file for a model and follow it to its end."""
        name = name or path.name
        at = drop(self.addresses.storage, path, model, name)
        return follow(self.api, f"{model}/{name}", at, Timeline(), self.environment.check, _WITHIN_S)

    def score(self, model: str, rows: Table) -> Table:
        """Ask a model's live endpoint as any client does."""
        live = self.addresses.publications[model].endpoints["live"]
        url = f"{live.api_location}/execute?api-version=2.0&details=true"
        headers = {"Authorization": f"Bearer {live.key.reveal()}"}
        answer = requests.post(url, json=scoring_request(rows), headers=headers, timeout=20)
        answer.raise_for_status()
        return scoring_answer(answer.json())

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> requests.Response:
        """Call an HTTP function with the key."""
        headers = {"x-functions-key": self.addresses.function_key.reveal()}
        data = None if body is None else json.dumps(body)
        url = f"{self.addresses.functions_url}/api/{path}"
        return requests.request(method, url, data=data, headers=headers, timeout=30)

    def report(self, run_id: str) -> dict[str, Any]:
        """Return a run's report once it is written; that happens a tick after the run's end."""
        path, until = f"runs/{run_id}/report?format=json", time.monotonic() + _WITHIN_S
        while (answer := self.ask("GET", path)).status_code == requests.codes.not_found and time.monotonic() < until:
            time.sleep(0.2)
        answer.raise_for_status()
        return dict(answer.json())

    def ended(self, run_id: str) -> Run:
        """Return a run once it has ended."""
        until = time.monotonic() + _WITHIN_S
        while not (run := self.api.run(run_id)).is_final and time.monotonic() < until:
            self.environment.check()
            time.sleep(0.2)
        return run


@contextmanager
def running_loop(folder: Path, *, rentals: bool) -> Iterator[Loop]:
    """Start everything in a folder; rows are real where UCI Adult lies beside the project."""
    data = ADULT if ADULT.is_file() else None
    if data is None:
        print("UCI Adult is not beside the project: the loop runs on synthetic rows")  # noqa: T201
    files = derive(folder / "files", data)
    install_storage(lambda line: None)
    with Environment(folder / "state", lambda line: None, rentals=rentals) as environment:
        addresses = environment.start(lambda _: files)
        with FunctionApi(addresses.functions_url, addresses.function_key) as api:
            yield Loop(environment, addresses, files, derive_rentals(folder / "rentals"), api)
