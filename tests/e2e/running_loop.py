"""A running environment with every example model published, as the tests of the whole loop use it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from examples.census.files import CensusFiles
from examples.rentals.files import RentalFiles
from local.api import FunctionApi, Run
from local.drop import drop
from local.environment import Addresses, Environment
from local.following import Settled, follow
from local.timeline import Timeline
from shared.wire import Table, scoring_answer, scoring_request

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
