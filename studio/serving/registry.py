"""
What this process serves: the catalog in memory, replaced whole, and the models of its endpoints.

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
from studio.engine.errors import EngineError
from studio.engine.scorer import Scorer
from studio.services.catalog import Catalog, Endpoint, WebService
from studio.serving.model_cache import ModelCache
from studio.store.artifacts import ArtifactMissing
from studio.store.catalog_reading import CatalogReader

_LOOK_PAUSE_S = 0.1  # an unknown id makes us look for news, at most this often
_RETIRED_FOR_S = 300.0  # longer than any request takes
_LOADED_AT_START = 32  # with more endpoints, a model is loaded by the first request for it

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """
    An endpoint as this process serves it.

    Attributes:
        model: Digest of what it scores with; empty without a model.
        problem: Why the endpoint's own model cannot be served; None where it can, or has not been tried.
    """

    service: WebService
    endpoint: Endpoint
    model: str
    models: ModelCache
    problem: Exception | None = None

    @property
    def loaded(self) -> Scorer | None:
        """The model if it is loaded, at the cost of a look into a dictionary."""
        return self.models.loaded(self.model)

    @property
    def scorer(self) -> Scorer | None:
        """The model, loaded now if it had to make room; None for a training service or a model never loaded."""
        if not self.model:
            return None
        try:
            return self.models.load(self.model)
        except (ArtifactMissing, EngineError) as error:
            event(_log, "model.not_loaded", level=logging.ERROR, model=self.model, reason=str(error))
            return None


class Registry:
    """Holds what is served; `find` may be called from any thread at any time."""

    def __init__(self, store: CatalogReader, models: ModelCache) -> None:
        self._store = store
        self._models = models
        self._refreshing = threading.Lock()
        self._looked_at = 0.0
        self._is_complete = False
        self._reported: set[str] = set()
        self._used_at: dict[str, float] = {}
        self._current: set[str] = set()
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

    @property
    def problems(self) -> list[str]:
        """What keeps this process from serving all that is published, for the readiness answer."""
        if self._catalog is None:
            return ["the catalog was not read yet"]
        return [f"the model {model[:12]}… could not be loaded" for model in sorted(self._reported)]

    def find(self, endpoint_id: str) -> Served | None:
        """Return what an endpoint serves, from memory alone."""
        return self._served.get(endpoint_id)

    def look_for_news(self) -> None:
        """Refresh because something unknown was asked for; those who ask at the same time share one look."""
        asked_at = time.monotonic()
        time.sleep(max(0.0, self._looked_at + _LOOK_PAUSE_S - asked_at))
        with self._refreshing:
            if self._looked_at < asked_at:
                self._refresh()

    def refresh(self) -> bool:
        """Compare versions and, when they differ, read the catalog and load what is new; True when it did."""
        with self._refreshing:
            return self._refresh()

    def _refresh(self) -> bool:
        looking_at = time.monotonic()
        is_current = self._catalog is not None and self._is_complete and self._store.version() == self._catalog.version
        catalog = None if is_current else self._store.read()
        self._looked_at = looking_at
        if catalog is not None:
            self._take_over(catalog)
        return not is_current

    def _take_over(self, catalog: Catalog) -> None:
        problems = self._prepared(catalog)
        served: dict[str, Served] = {}
        for endpoint in catalog.endpoints.values():
            service = catalog.services.get(endpoint.service_id)
            if service is not None:
                model, problem = self._model_of(endpoint, problems), problems.get(endpoint.model)
                served[endpoint.id] = Served(service, endpoint, model, self._models, problem)
        self._served, self._catalog = served, catalog
        self._is_complete = not problems
        self._forget_retired({known.model for known in served.values()})

    def _forget_retired(self, current: set[str]) -> None:
        """Drop models some time after their last endpoint turned to another: requests under way still hold them."""
        now = time.monotonic()
        self._used_at |= dict.fromkeys(current | self._current, now)
        self._current = current
        self._used_at = {model: at for model, at in self._used_at.items() if now - at < _RETIRED_FOR_S}
        self._models.forget_all_but(set(self._used_at))

    def _prepared(self, catalog: Catalog) -> Mapping[str, Exception]:
        """Fetch what is new, and load it where it replaces something; returns why a model cannot be served."""
        wanted = {endpoint.model for endpoint in catalog.endpoints.values() if endpoint.model}
        new = {model for model in wanted if model in self._reported or not self._models.has(model)}
        problems = dict(self._models.fetch(new))
        at_start = self._catalog is None
        for model in sorted(new - problems.keys())[: _LOADED_AT_START if at_start else None]:
            try:
                self._models.load(model)
            except (ArtifactMissing, EngineError) as problem:
                problems[model] = problem
        self._report(problems)
        return problems

    def _report(self, problems: Mapping[str, Exception]) -> None:
        for model in problems.keys() - self._reported:
            event(_log, "model.not_loaded", level=logging.ERROR, model=model, reason=str(problems[model]))
        self._reported = set(problems)

    def _model_of(self, endpoint: Endpoint, problems: Mapping[str, Exception]) -> str:
        before = self._served.get(endpoint.id)
        if endpoint.model in problems:
            return before.model if before else ""
        return endpoint.model
