"""Removes models that no endpoint serves or remembers; what was put within the last hour may be about to be named."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared.logs import event
from studio.services.catalog import Catalog
from studio.store.artifacts import ArtifactKind, Artifacts
from studio.store.catalog_reading import CatalogReader

SPARED_FOR = timedelta(hours=1)

_log = logging.getLogger(__name__)


def sweep_models(store: CatalogReader, artifacts: Artifacts, now: datetime) -> int:
    """Remove what is not needed and return how many models that were; may run in several processes at once."""
    old = [kept for kept in artifacts.listed(ArtifactKind.MODEL) if now - kept.put_at >= SPARED_FOR]
    # Read after the listing: a model that was named in between is in the catalog by now, or was put again.
    needed = _needed(store.read())
    n_removed = sum(artifacts.remove(kept) for kept in old if kept.digest not in needed)
    if n_removed:
        event(_log, "models.removed", n_models=n_removed)
    return n_removed


def _needed(catalog: Catalog) -> set[str]:
    return {model for endpoint in catalog.endpoints.values() for model in (endpoint.model, *endpoint.past_models)}
