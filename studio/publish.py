"""
Publishing: an experiment and its first data become a training and a predictive web service.

Publishing the same name again updates declaration, default endpoints and nothing else: ids, keys and the models of
other endpoints stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from shared.errors import AlreadyExists, Changed, ConfigError
from shared.wire import BlobReference
from studio.addresses import Addresses
from studio.bootstrap import Service, training_threads
from studio.catalog import DEFAULT_ENDPOINT, Catalog, Endpoint, Kind, WebService
from studio.endpoints import ENDPOINT_NAME, ENDPOINT_NAME_RULE, new_endpoint
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.training import Trained, train
from studio.keys import new_id
from studio.store.artifacts import ArtifactKind
from studio.store.catalog import Record
from studio.submission import INPUT_EXTENSIONS

_PREDICTIVE = " [Predictive Exp.]"
_MAX_RACES = 5


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
                **_keys(self.jobs_endpoint),
            },
            "predictive": {
                "web_service": self.predictive.id,
                "resource": self.predictive.resource,
                "endpoints": {endpoint.name: _endpoint_json(endpoint, addresses) for endpoint in self.endpoints},
            },
            "summary": dict(self.summary),
        }


def publish(service: Service, declaration: Path, data: Path, endpoint_names: Sequence[str]) -> Publication:
    """
    Store the experiment, train the first model on `data`, and publish both web services in one transaction.

    Args:
        endpoint_names: Further endpoints of the predictive web service; those that exist are left as they are.

    Raises:
        ConfigError: A file or an endpoint name cannot be used.
        ExperimentError: The declaration cannot be used.
        ModuleError: The data cannot be trained on.
    """
    extension = _check(declaration, data, endpoint_names)
    experiment = parse_experiment(declaration.read_text(encoding="utf-8"), declaration.name)
    trained = train(experiment, data, extension, threads=training_threads())
    service.storage.prepare()
    model = service.artifacts.put(ArtifactKind.MODEL, trained.model_file)
    digest = service.artifacts.put(ArtifactKind.EXPERIMENT, experiment.source_text.encode())
    workspace = service.catalog.claim_workspace()
    for _ in range(_MAX_RACES):
        planned = _Plan(service.catalog.read(), workspace, experiment, digest, model, endpoint_names)
        try:
            service.catalog.save(planned.records)
        except (AlreadyExists, Changed):
            continue  # somebody published or patched at the same moment: plan again on what is there now
        return planned.publication(service.catalog.read(), trained)
    raise ConfigError(declaration.name, ["the workspace is changing too fast to publish into it; try again"])


class _Plan:
    """The records that one publication saves, given what is there."""

    def __init__(
        self,
        catalog: Catalog,
        workspace: str,
        experiment: Experiment,
        digest: str,
        model: str,
        endpoint_names: Sequence[str],
    ) -> None:
        self._catalog = catalog
        self._now = datetime.now(UTC)
        self._experiment = experiment
        fresh = WebService(
            id="",
            workspace=workspace,
            name=experiment.name,
            kind=Kind.TRAINING,
            experiment=digest,
            input_name=experiment.input_name,
            resource="",
            created_at=self._now,
        )
        self.training = self._service(fresh)
        self.predictive = self._service(
            replace(
                fresh,
                name=f"{experiment.name}{_PREDICTIVE}",
                kind=Kind.PREDICTIVE,
                resource=experiment.resource_name,
            )
        )
        self.records: list[Record] = [self.training, self.predictive]
        self.records += self._endpoints(self.training, [DEFAULT_ENDPOINT], "")
        self.records += self._endpoints(self.predictive, [DEFAULT_ENDPOINT, *endpoint_names], model)

    def publication(self, catalog: Catalog, trained: Trained) -> Publication:
        """Describe what the saved records amount to."""
        jobs_endpoint = catalog.endpoint_named(self.training.id, DEFAULT_ENDPOINT)
        if jobs_endpoint is None:
            raise ConfigError(self._experiment.name, ["somebody deleted the web service while it was published"])
        endpoints = catalog.endpoints_of(self.predictive.id)
        return Publication(self.training, jobs_endpoint, self.predictive, endpoints, _summary_json(trained))

    def _service(self, fresh: WebService) -> WebService:
        existing = self._catalog.service_named(fresh.name)
        if existing is None:
            return replace(fresh, id=new_id())
        return replace(existing, experiment=fresh.experiment, input_name=fresh.input_name, resource=fresh.resource)

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


def _summary_json(trained: Trained) -> dict[str, Any]:
    """The training summary as plain JSON values; a metric that is no finite number is null."""
    summary = trained.summary
    metrics = {name: value if isfinite(value) else None for name, value in summary.metrics.items()}
    return {**asdict(summary.data), "metrics": metrics, "libraries": dict(summary.libraries)}


def _check(declaration: Path, data: Path, endpoint_names: Sequence[str]) -> str:
    problems = [f"there is no file {path}" for path in (declaration, data) if not path.is_file()]
    extension = BlobReference(data.name).extension
    if extension not in INPUT_EXTENSIONS:
        problems.append(f"the data file must end in one of {', '.join(INPUT_EXTENSIONS)}: {data.name}")
    wrong = [name for name in endpoint_names if not ENDPOINT_NAME.fullmatch(name)]
    problems += [f"--endpoint {name}: {ENDPOINT_NAME_RULE}" for name in wrong]
    if problems:
        raise ConfigError("publish", problems)
    return extension


def _endpoint_json(endpoint: Endpoint, addresses: Addresses) -> dict[str, Any]:
    return {
        "management_url": addresses.management(endpoint),
        "api_location": addresses.api(endpoint),
        **_keys(endpoint),
        "updatable": not endpoint.prevent_update,
    }


def _keys(endpoint: Endpoint) -> dict[str, str]:
    return {"primary_key": endpoint.primary_key.reveal(), "secondary_key": endpoint.secondary_key.reveal()}
