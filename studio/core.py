"""What scoring needs, put together: settings, the own account, the catalog in memory, the models. Imports little."""

from __future__ import annotations

from dataclasses import dataclass

from studio.services.keys import Vault
from studio.serving.model_cache import ModelCache
from studio.serving.registry import Registry
from studio.settings import Settings
from studio.store.account import OwnStorage
from studio.store.artifacts import Artifacts
from studio.store.catalog_reading import CatalogReader


@dataclass(frozen=True)
class Core:
    """The collaborators of scoring; the rest of the service is built around them (`bootstrap`)."""

    settings: Settings
    storage: OwnStorage
    vault: Vault
    catalog: CatalogReader
    artifacts: Artifacts
    registry: Registry


def assemble_core(settings: Settings) -> Core:
    """Put it together; opens no connection."""
    storage, vault = OwnStorage(settings.storage), Vault(settings.secret)
    catalog = CatalogReader(storage.catalog_rows, vault, settings.workspace)
    artifacts = Artifacts(storage)
    registry = Registry(catalog, ModelCache(artifacts, settings.operation.model_memory_bytes))
    return Core(settings, storage, vault, catalog, artifacts, registry)
