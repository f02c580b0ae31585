"""The function app's use cases over the storage emulator and a scripted classic service, as tests hold them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from classic_service import ClassicService

from shared.composition import App
from shared.secret import Secret


@dataclass
class MovableClock:
    """Tells the system's time, and later when it was moved on."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class World:
    """The app, its storage and the service that it calls."""

    app: App
    service: ClassicService
    storage: Secret
    environment: dict[str, str]
    clock: MovableClock

    def pass_time(self, **amount: float) -> None:
        """Let time pass: `pass_time(minutes=20)`."""
        self.clock.ahead += timedelta(**amount)

    def drop(self, name: str, data: bytes) -> None:
        """Put a training file into the container and deliver its event."""
        self.put(f"training-data/census/{name}", data)
        self.deliver(name)

    def deliver(self, name: str) -> None:
        with BlobServiceClient.from_connection_string(self.storage.reveal()) as blobs:
            self.app.arrival.receive(blobs.get_blob_client("training-data", f"census/{name}"))

    def put(self, path: str, data: bytes, metadata: dict[str, str] | None = None) -> None:
        container, _, name = path.partition("/")
        with BlobServiceClient.from_connection_string(self.storage.reveal()) as blobs:
            blobs.get_blob_client(container, name).upload_blob(data, overwrite=True, metadata=metadata)

    def get(self, path: str) -> bytes:
        container, _, name = path.partition("/")
        with BlobServiceClient.from_connection_string(self.storage.reveal()) as blobs:
            return bytes(blobs.get_blob_client(container, name).download_blob().readall())

    def blobs(self, container: str) -> list[str]:
        with BlobServiceClient.from_connection_string(self.storage.reveal()) as blobs:
            return list(blobs.get_container_client(container).list_blob_names())

    def tick(self) -> None:
        """One tick of the poll, and every evaluation that it announced."""
        for message in self.app.polling.tick():
            due = json.loads(message)
            self.app.evaluation.evaluate(due["model"], due["run"])

    def hand_over(self) -> str:
        """Bring the newest run to EVALUATING without evaluating it; return its id."""
        self.app.polling.tick()
        run = self.run()
        assert run["state"] == "EVALUATING"
        return str(run["id"])

    def run(self) -> dict[str, Any]:
        """The newest run, as the HTTP function shows it."""
        newest: dict[str, Any] = self.app.views.runs(None)["runs"][0]
        return newest

    def dataset(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            d for d in self.app.views.datasets(None)["datasets"] if d["name"] == f"census/{name}"
        )
        return found

    def record(self) -> dict[str, Any]:
        """The row of the model `census`."""
        return next(row for row in self.rows("models") if row["PartitionKey"] == "model")

    def rows(self, table: str) -> list[dict[str, Any]]:
        with TableServiceClient.from_connection_string(self.storage.reveal()) as tables:
            return [dict(entity) for entity in tables.get_table_client(table).list_entities()]
