"""
What this process serves: the catalog and the loaded scorers, in memory, replaced whole.

A new model is loaded beside the old one and takes its place in one assignment, so no request waits or fails; a model
that cannot be loaded leaves the old one in place. While storage is out, scoring goes on from here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

from shared.logs import event
from studio.catalog import Catalog, Endpoint, WebService
from studio.engine.errors import EngineError
from studio.engine.scorer import Scorer
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts
from studio.store.catalog import CatalogStore

_MISS_LOOKUP_S = 0.1  # an unknown id makes us look for news, at most this often

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """An endpoint as this process serves it; `scorer` is None for a training service or a model never loaded."""

    service: WebService
    endpoint: Endpoint
    scorer: Scorer | None


class Registry:
    """Holds what is served; `find` may be called from any thread at any time."""

    def __init__(self, store: CatalogStore, artifacts: Artifacts) -> None:
        self._store = store
        self._artifacts = artifacts
        self._refreshing = threading.Lock()
        self._looked_at = 0.0
        self._is_complete = False
        self._scorers: dict[str, Scorer] = {}
        self._reported: set[str] = set()
        self._served: Mapping[str, Served] = {}
        self._catalog: Catalog | None = None

    @property
    def catalog(self) -> Catalog:
        """What is published, as last read."""
        return self._catalog or Catalog()

    @property
    def is_ready(self) -> bool:
        """Whether the catalog has been read at least once."""
        return self._catalog is not None

    def find(self, endpoint_id: str) -> Served | None:
        """Return what an endpoint serves, from memory alone."""
        return self._served.get(endpoint_id)

    def look_for_news(self) -> None:
        """Refresh because something unknown was asked for, unless that was done a moment ago."""
        if time.monotonic() - self._looked_at >= _MISS_LOOKUP_S:
            self.refresh()

    def refresh(self) -> bool:
        """Compare versions and, when they differ, read the catalog and load what is new; True when it did."""
        with self._refreshing:
            version = self._store.version()
            self._looked_at = time.monotonic()
            if self._catalog is not None and self._is_complete and version == self._catalog.version:
                return False
            self._take_over(self._store.read())
            return True

    def _take_over(self, catalog: Catalog) -> None:
        scorers = self._load({endpoint.model for endpoint in catalog.endpoints.values() if endpoint.model})
        served: dict[str, Served] = {}
        for endpoint in catalog.endpoints.values():
            service = catalog.services.get(endpoint.service_id)
            if service is not None:
                served[endpoint.id] = Served(service, endpoint, self._scorer_for(endpoint, scorers))
        self._served, self._scorers, self._catalog = served, scorers, catalog

    def _load(self, models: set[str]) -> dict[str, Scorer]:
        """Return a scorer per model, loading only those not loaded yet; one that fails is left out and tried again."""
        scorers: dict[str, Scorer] = {}
        self._is_complete = True
        for model in models:
            try:
                known = self._scorers.get(model)
                scorers[model] = known or Scorer.load(self._artifacts.get(ArtifactKind.MODEL, model))
            except (ArtifactMissing, EngineError) as error:
                self._is_complete = False
                self._report(model, error)
        return scorers

    def _report(self, model: str, error: Exception) -> None:
        if model not in self._reported:
            self._reported.add(model)
            event(_log, "model.not_loaded", level=logging.ERROR, model=model, reason=str(error))

    def _scorer_for(self, endpoint: Endpoint, scorers: Mapping[str, Scorer]) -> Scorer | None:
        before = self._served.get(endpoint.id)
        return scorers.get(endpoint.model) or (before.scorer if before else None)
