"""
What a publication is on record: a training and a predictive web service, with their endpoints.

Publishing the same name again updates declaration, default endpoints and nothing else: ids, keys and the models of
other endpoints stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from shared.errors import AlreadyExists, Changed, ConfigError
from studio.engine.experiment import Experiment
from studio.engine.model_file import DataOrigin
from studio.services.addresses import Addresses
from studio.services.catalog import DEFAULT_ENDPOINT, Catalog, Endpoint, Kind, WebService
from studio.services.endpoints import new_endpoint
from studio.services.keys import new_id
from studio.store.catalog import CatalogStore, Record, in_pieces

_PREDICTIVE = " [Predictive Exp.]"
_MAX_RACES = 5


@dataclass(frozen=True)
class ArtifactDigests:
    """The declaration and the model that are published, as `Artifacts` keeps them."""

    experiment: str
    model: str


@dataclass(frozen=True)
class Publication:
    """What was published: the two web services, the training endpoint, the predictive endpoints, the first model."""

    training: WebService
    jobs_endpoint: Endpoint
    predictive: WebService
    endpoints: Sequence[Endpoint]
    summary: Mapping[str, Any]

    def to_json(self, addresses: Addresses) -> dict[str, Any]:
        """Give ids, addresses and keys, the keys readable: the caller puts them where they belong."""
        return {
            "workspace": self.training.workspace,
            "training": {
                "web_service": self.training.id,
                "jobs_url": f"{addresses.api(self.jobs_endpoint)}/jobs",
                "help_location": addresses.help(self.jobs_endpoint),
                **_keys(self.jobs_endpoint),
            },
            "predictive": {
                "web_service": self.predictive.id,
                "resource": self.predictive.resource,
                "endpoints": {endpoint.name: _endpoint_json(endpoint, addresses) for endpoint in self.endpoints},
            },
            "summary": dict(self.summary),
        }


def new_training_service(workspace: str, experiment: Experiment, digest: str, now: datetime) -> WebService:
    """Make the training web service of an experiment; `digest` is that of its declaration."""
    return WebService(
        id=new_id(),
        workspace=workspace,
        name=experiment.name,
        kind=Kind.TRAINING,
        experiment=digest,
        input_name=experiment.input_name,
        resource="",
        created_at=now,
    )


def record_publication(
    store: CatalogStore,
    workspace: str,
    experiment: Experiment,
    artifacts: ArtifactDigests,
    endpoint_names: Sequence[str],
    summary: Mapping[str, Any],
) -> Publication:
    """
    Save both web services and their endpoints; very many take several transactions, each of which may be repeated.

    Args:
        endpoint_names: Further endpoints of the predictive web service; those that exist are left as they are.
        summary: How the model was trained, as JSON values.

    Raises:
        ConfigError: The workspace changes all the time.
    """
    for _ in range(_MAX_RACES):
        planned = _Plan(store.read(), workspace, experiment, artifacts, endpoint_names)
        try:
            for piece in in_pieces(planned.records):
                store.save(piece)
        except (AlreadyExists, Changed):
            continue  # somebody published or patched at the same moment: plan again on what is there now
        return planned.publication(store.read(), summary)
    raise ConfigError(experiment.name, ["the workspace is changing too fast to publish into it; try again"])


def summary_json(data: DataOrigin, metrics: Mapping[str, float], libraries: Mapping[str, str]) -> dict[str, Any]:
    """Write how a model was trained as plain JSON values; a metric that is no finite number is null."""
    shown = {name: value if isfinite(value) else None for name, value in metrics.items()}
    return {**asdict(data), "metrics": shown, "libraries": dict(libraries)}


class _Plan:
    """The records that one publication saves, given what is there."""

    def __init__(
        self,
        catalog: Catalog,
        workspace: str,
        experiment: Experiment,
        artifacts: ArtifactDigests,
        endpoint_names: Sequence[str],
    ) -> None:
        self._catalog = catalog
        self._now = datetime.now(UTC)
        self._experiment = experiment
        fresh = new_training_service(workspace, experiment, artifacts.experiment, self._now)
        self.training = self._service(fresh)
        self.predictive = self._service(
            replace(
                fresh,
                name=f"{experiment.name}{_PREDICTIVE}",
                kind=Kind.PREDICTIVE,
                resource=experiment.resource_name,
                score=experiment.score,
            )
        )
        self.records: list[Record] = [self.training, self.predictive]
        self.records += self._endpoints(self.training, [DEFAULT_ENDPOINT], "")
        self.records += self._endpoints(self.predictive, [DEFAULT_ENDPOINT, *endpoint_names], artifacts.model)

    def publication(self, catalog: Catalog, summary: Mapping[str, Any]) -> Publication:
        """Describe what the saved records amount to."""
        jobs_endpoint = catalog.endpoint_named(self.training.id, DEFAULT_ENDPOINT)
        if jobs_endpoint is None:
            raise ConfigError(self._experiment.name, ["somebody deleted the web service while it was published"])
        endpoints = catalog.endpoints_of(self.predictive.id)
        return Publication(self.training, jobs_endpoint, self.predictive, endpoints, summary)

    def _service(self, fresh: WebService) -> WebService:
        existing = self._catalog.service_named(fresh.name)
        if existing is None:
            return replace(fresh, id=new_id())
        return replace(
            existing,
            experiment=fresh.experiment,
            input_name=fresh.input_name,
            resource=fresh.resource,
            score=fresh.score,
        )

    def _endpoints(self, service: WebService, names: Sequence[str], model: str) -> list[Endpoint]:
        """The default endpoint follows the experiment; of the others only missing ones are made."""
        found: list[Endpoint] = []
        for name in dict.fromkeys(names):
            existing = self._catalog.endpoint_named(service.id, name)
            if existing is None:
                found.append(new_endpoint(service, name, model, self._now))
            elif existing.prevent_update:
                found.append(replace(existing, model=model))
        return found


def _endpoint_json(endpoint: Endpoint, addresses: Addresses) -> dict[str, Any]:
    return {
        "management_url": addresses.management(endpoint),
        "api_location": addresses.api(endpoint),
        "help_location": addresses.help(endpoint),
        **_keys(endpoint),
        "updatable": not endpoint.prevent_update,
    }


def _keys(endpoint: Endpoint) -> dict[str, str]:
    return {"primary_key": endpoint.primary_key.reveal(), "secondary_key": endpoint.secondary_key.reveal()}
