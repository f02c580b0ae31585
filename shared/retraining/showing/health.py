"""Whether the app can work: storage, services, models. Asked by probes, so it asks little, and remembers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError

from shared.adapters.blobs import BlobStore, facts_of, trouble
from shared.adapters.reach import Reached
from shared.adapters.storage_layout import HOLDOUTS, TRAINING_DATA
from shared.domain.model import Model
from shared.retraining import Clock

UNPUBLISHED = ".invalid"  # where infra/ points a model that was not published yet (RFC 2606)

_OK = "ok"
_REMEMBERED = timedelta(seconds=15)  # anybody may ask; nobody shall make the app ask others as often


class Health:
    """Answers `live` and `ready`, with a reason for everything that is not."""

    def __init__(
        self, models: Mapping[str, Model], blobs: BlobStore, reach: Callable[[str], Reached], clock: Clock
    ) -> None:
        self._models, self._blobs, self._reach, self._clock = models, blobs, reach, clock
        self._known: tuple[datetime, dict[str, Any]] | None = None
        self._lock = threading.Lock()

    def report(self) -> tuple[bool, dict[str, Any]]:
        """Return whether the app is ready, and the facts: storage, and for each model its services and its holdout."""
        with self._lock:
            if self._known is None or self._clock() - self._known[0] > _REMEMBERED:
                self._known = (self._clock(), self._look())
            facts = self._known[1]
        return facts["ready"], facts

    def _look(self) -> dict[str, Any]:
        storage = self._storage()
        services = {name: self._service(model) for name, model in sorted(self._models.items())}
        models = {name: self._model(model, storage) for name, model in sorted(self._models.items())}
        ready = all(said == _OK for said in (storage, *services.values(), *models.values()))
        return {
            "status": _OK if ready else "unavailable",
            "live": True,
            "ready": ready,
            "storage": storage,
            "services": services,
            "models": models,
        }

    def _storage(self) -> str:
        try:
            self._blobs.reachable(TRAINING_DATA)
        except AzureError as failed:
            return trouble(failed)
        return _OK

    def _model(self, model: Model, storage: str) -> str:
        if not model.holdout or storage != _OK:
            return _OK
        try:
            is_there = facts_of(self._blobs.blob(f"{HOLDOUTS}/{model.holdout}")) is not None
        except AzureError as failed:
            return trouble(failed)
        return _OK if is_there else f"there is no '{model.holdout}' in the container '{HOLDOUTS}'; upload it there"

    def _service(self, model: Model) -> str:
        if any(UNPUBLISHED in address for address in model.addresses):
            return "not published yet: docs/azure.md, 'Publish a model'"
        hosts = {address.partition("://")[2].partition("/")[0]: address for address in model.addresses}
        return "; ".join(found.failure for found in map(self._reach, hosts.values()) if found.failure) or _OK
