"""
Counts what the app asks of storage and services, idle and for one promoted run; docs/azure.md has the prices.

    python tests/integration/count_transactions.py
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from local.azurite import Azurite
from shared.adapters.blobs import BlobStore
from shared.adapters.storage_layout import create_storage
from shared.composition import App, compose
from shared.secret import Secret
from tests.integration.census_rows import people
from tests.integration.classic_service import ClassicService

SCHEDULES = {"POLL_SCHEDULE": "* * * * * *", "RETRAIN_SCHEDULE": "* * * * * *"}


class Counted:
    """Sees every request of this process, by what it costs."""

    def __init__(self, azurite: Azurite) -> None:
        self.found: Counter[str] = Counter()
        self._kinds = {azurite.ports.blob: "blob", azurite.ports.table: "table", azurite.ports.queue: "queue"}
        self._send = requests.Session.send
        requests.Session.send = lambda session, request, **options: self._sent(session, request, **options)

    def of(self, act: Callable[[], object]) -> str:
        """Return what an act asked for."""
        self.found.clear()
        act()
        return ", ".join(f"{n} {what}" for what, n in sorted(self.found.items())) or "nothing"

    def _sent(self, session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        kind = self._kinds.get(parts.port or 0, "other")
        is_read = request.method in ("GET", "HEAD") and not (kind == "blob" and "comp=list" in parts.query)
        self.found[f"{kind} {'reads' if is_read else 'writes or lists'}"] += 1
        return self._send(session, request, **options)


def retrain(app: App, blobs: BlobStore) -> None:
    """One file, from its event to its promotion."""
    app.arrival.receive(blobs.blob("training-data/census/new.csv"))
    for _ in range(10):
        for message in app.polling.tick():
            due = json.loads(message)
            app.evaluation.evaluate(due["model"], due["run"])
        if app.views.runs(None)["runs"][0]["is_final"]:
            break
    app.announcing.announce_due()


def main() -> None:
    """Print the counts."""
    with Azurite() as azurite:
        connection = Secret(azurite.connection_string)
        create_storage(connection)
        blobs = BlobStore(connection)
        blobs.write("holdouts/census/holdout.csv", people(1000, seed=99))
        blobs.write("artifacts/published.ilearner", b"quality=0.5")
        blobs.write("training-data/other.txt", b"")
        published = blobs.reference("artifacts/published.ilearner", write=False, lifetime=timedelta(hours=1))
        counted = Counted(azurite)
        with ClassicService(published=published.signed_url().reveal()) as service:
            app = compose(service.settings() | SCHEDULES | {"DATA_STORAGE": connection.reveal()})
            app.prepare()
            for name, act in {
                "poll_jobs": app.polling.tick,
                "announce_outcomes": app.announcing.announce_due,
                "retrain_on_schedule": lambda: (app.scheduled.retrain_due(), app.sweeping.sweep()),
            }.items():
                print(f"idle {name}: {counted.of(act)}")  # noqa: T201
            blobs.write("training-data/census/new.csv", people(600, seed=1))
            service.calls.clear()
            asked = counted.of(lambda: retrain(app, blobs))
            print(f"one promoted run: {asked}, {len(service.calls)} calls of the services")  # noqa: T201


if __name__ == "__main__":
    main()
