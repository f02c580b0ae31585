"""The models that an endpoint served before: which there are, and a way back to one of them."""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.errors import Changed, ConfigError
from shared.logs import event
from studio.commands.administration import Finding, find_endpoint
from studio.commands.text_table import text_table
from studio.services.catalog import Catalog, Endpoint
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts, blob_name
from studio.store.catalog import CatalogStore

_MAX_RACES = 5

_log = logging.getLogger(__name__)


def list_models(catalog: Catalog, service_name: str, endpoint_name: str) -> Finding:
    """List an endpoint's models, the one that it serves first, then the past ones, newest first."""
    _, endpoint = find_endpoint(catalog, service_name, endpoint_name)
    models = [model for model in (endpoint.model, *endpoint.past_models) if model]
    values = [
        {"model": model, "serves": model == endpoint.model, "blob": blob_name(ArtifactKind.MODEL, model)}
        for model in models
    ]
    rows = [(model, "serves" if model == endpoint.model else "past") for model in models]
    return Finding(values, text_table(("MODEL", "STATE"), rows) if rows else "No models.")


def put_back(store: CatalogStore, artifacts: Artifacts, service_name: str, endpoint_name: str, digest: str) -> None:
    """
    Have an endpoint serve one of its past models again; the present one becomes a past one.

    Args:
        digest: The model's, or as many of its first digits as no other of the endpoint's models has.

    Raises:
        ConfigError: No such endpoint or model, several such models, the model is gone from storage, or the endpoint
            follows the experiment or changes all the time.
    """
    for _ in range(_MAX_RACES):
        _, endpoint = find_endpoint(store.read(), service_name, endpoint_name)
        model = _past_model(endpoint, digest)
        _check_present(artifacts, model)
        try:
            store.save([replace(endpoint, model=model)])
        except Changed:
            continue
        event(_log, "endpoint.put_back", endpoint=endpoint.name, endpoint_id=endpoint.id, model=model)
        return
    raise ConfigError("models", [f"endpoint '{endpoint_name}' is changing too fast to be updated; try again"])


def _past_model(endpoint: Endpoint, digest: str) -> str:
    if endpoint.prevent_update:
        raise ConfigError("models", [f"endpoint '{endpoint.name}' follows the experiment and takes no other model"])
    found = [model for model in endpoint.past_models if model.startswith(digest.lower())]
    if len(found) == 1:
        return found[0]
    problem = "several of its past models begin" if found else "none of its past models begins"
    known = ", ".join(endpoint.past_models) or "none"
    raise ConfigError("models", [f"{problem} with '{digest}'; endpoint '{endpoint.name}' remembers: {known}"])


def _check_present(artifacts: Artifacts, model: str) -> None:
    try:
        artifacts.get(ArtifactKind.MODEL, model)
    except ArtifactMissing as problem:
        raise ConfigError("models", [str(problem)]) from problem
