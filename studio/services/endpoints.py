"""Endpoint management: create, update, delete. A new model is kept before the endpoint names it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from shared.errors import AlreadyExists, Changed
from shared.logs import event
from shared.wire import Resource
from studio.blobs.blob_access import MAX_MODEL_BYTES, BlobAccess, BlobFault
from studio.engine.errors import ModelFileError
from studio.engine.scorer import Scorer
from studio.errors import BadArgument, Conflict, Forbidden, InvalidOperation, NotFound, Unavailable
from studio.services.catalog import DEFAULT_ENDPOINT, Endpoint, WebService
from studio.services.endpoint_change import EndpointChange
from studio.services.keys import new_id, new_key
from studio.serving.registry import Registry
from studio.store.artifacts import ArtifactKind, ArtifactMissing, Artifacts
from studio.store.catalog import CatalogStore, in_pieces

ENDPOINT_NAME = re.compile(r"[a-z0-9]{1,24}")
ENDPOINT_NAME_RULE = "an endpoint's name has 1 to 24 lower-case letters and digits"

_MAX_RACES = 5

_log = logging.getLogger(__name__)


def new_endpoint(service: WebService, name: str, model: str, now: datetime) -> Endpoint:
    """Make an endpoint with keys of its own; the default one follows the experiment and takes no update."""
    return Endpoint(
        id=new_id(),
        workspace=service.workspace,
        service_id=service.id,
        name=name,
        primary_key=new_key(),
        secondary_key=new_key(),
        created_at=now,
        model=model,
        prevent_update=name == DEFAULT_ENDPOINT,
    )


class Endpoints:
    """Changes endpoints in storage and in this process's registry; other replicas follow by the catalog's version."""

    def __init__(self, store: CatalogStore, registry: Registry, artifacts: Artifacts, blobs: BlobAccess) -> None:
        self._store = store
        self._registry = registry
        self._artifacts = artifacts
        self._blobs = blobs

    def create(self, service: WebService, name: str, change: EndpointChange) -> tuple[Endpoint, bool]:
        """
        Create an endpoint with the model of the default one, or change the one of that name.

        Returns:
            The endpoint, and whether it is new.
        """
        if not ENDPOINT_NAME.fullmatch(name):
            raise BadArgument("BadParameterValue", f"'{name}' cannot be used: {ENDPOINT_NAME_RULE}")
        if name == DEFAULT_ENDPOINT and change.properties.get("prevent_update") is False:
            raise Forbidden(
                "PreventUpdate", "the default endpoint follows the experiment: its PreventUpdate stays true"
            )
        existing = self._registry.catalog.endpoint_named(service.id, name)
        if existing is not None:
            return self._saved(existing.service_id, name, change.applied_to), False
        default = self._registry.catalog.endpoint_named(service.id, DEFAULT_ENDPOINT)
        endpoint = new_endpoint(service, name, default.model if default else "", datetime.now(UTC))
        try:
            self._store.save([change.applied_to(endpoint)])
        except AlreadyExists:
            self._registry.refresh()
            return self._saved(service.id, name, change.applied_to), False
        self._registry.refresh()
        event(_log, "endpoint.created", endpoint=name, endpoint_id=endpoint.id, service=service.name)
        return self._current(service.id, name), True

    def update(self, service: WebService, endpoint: Endpoint, change: EndpointChange) -> Endpoint:
        """
        Give an endpoint another model, other properties, or both.

        Raises:
            Forbidden: The endpoint follows the experiment.
            BadArgument: Unknown resource, or a blob that cannot be read.
            InvalidOperation: IncompatibleModel, when the bytes are no model.
            Conflict: ModelOutputMetadataMismatch, when the model has other columns than the endpoint's.
        """
        _check_updatable(endpoint)
        return self.redefine(service, endpoint, change)

    def redefine(self, service: WebService, endpoint: Endpoint, change: EndpointChange) -> Endpoint:
        """Do the same for an endpoint that follows the experiment: a new-style web service has no other."""
        model = self._model(service, endpoint, change.resources)
        saved = self._saved(service.id, endpoint.name, lambda now: replace(change.applied_to(now), model=model))
        event(_log, "endpoint.updated", endpoint=endpoint.name, endpoint_id=endpoint.id, model=model)
        return saved

    def refresh(self, service: WebService, endpoint: Endpoint, *, overwrite_resources: bool) -> bool:
        """
        Bring an endpoint to what its web service has become; False when it is there already.

        The declaration is the web service's and reaches every endpoint by itself; the trained model of the last
        publication, which the default endpoint serves, is taken over only when resources are to be overwritten.
        """
        _check_updatable(endpoint)
        default = self._registry.catalog.endpoint_named(service.id, DEFAULT_ENDPOINT)
        if not overwrite_resources or default is None or default.model == endpoint.model:
            return False
        self._saved(service.id, endpoint.name, lambda now: replace(now, model=default.model))
        event(_log, "endpoint.refreshed", endpoint=endpoint.name, endpoint_id=endpoint.id, model=default.model)
        return True

    def delete(self, endpoint: Endpoint) -> None:
        """Delete an endpoint; the default one only when it is the last."""
        others = len(self._registry.catalog.endpoints_of(endpoint.service_id)) > 1
        if endpoint.name == DEFAULT_ENDPOINT and others:
            raise Forbidden("PreventUpdate", "the default endpoint can be deleted only when it is the last one")
        self._remove([endpoint])
        event(_log, "endpoint.deleted", endpoint=endpoint.name, endpoint_id=endpoint.id)

    def delete_service(self, service: WebService) -> None:
        """Delete a web service with all its endpoints; of very many, itself and `default` in the last transaction."""
        endpoints = self._registry.catalog.endpoints_of(service.id)
        records: list[Endpoint | WebService] = [
            service,
            *sorted(endpoints, key=lambda endpoint: endpoint.name != DEFAULT_ENDPOINT),
        ]
        for piece in reversed([*in_pieces(records)]):
            self._remove(piece)
        event(_log, "service.deleted", service=service.name, service_id=service.id)

    def _remove(self, records: Sequence[Endpoint | WebService]) -> None:
        try:
            self._store.save(removed=records)
        except Changed:
            self._registry.refresh()
            raise Unavailable("NoMoreResources", "somebody else changed it at the same moment; try again") from None
        self._registry.refresh()

    def _model(self, service: WebService, endpoint: Endpoint, resources: Sequence[Resource]) -> str:
        """Keep the model that the update names and return its digest; without one, the endpoint's present model."""
        model = endpoint.model
        for resource in resources:
            if not service.resource or resource.name != service.resource:
                raise BadArgument("BadParameterValue", _unknown_resource(service, resource.name))
            data = self._fetched(resource)
            self._check_fit(endpoint, data)
            model = self._artifacts.put(ArtifactKind.MODEL, data)
        return model

    def _fetched(self, resource: Resource) -> bytes:
        try:
            self._blobs.check(resource.location)
            return self._blobs.read(resource.location, limit=MAX_MODEL_BYTES)
        except BlobFault as fault:
            raise BadArgument(fault.detail, f"the model of '{resource.name}': {fault}") from None

    def _check_fit(self, endpoint: Endpoint, data: bytes) -> None:
        try:
            challenger = Scorer.load(data)
        except ModelFileError as error:
            raise InvalidOperation("IncompatibleModel", str(error)) from None
        current = self._known_good(endpoint)
        if current is None:
            event(_log, "endpoint.fit_unknown", endpoint=endpoint.name, endpoint_id=endpoint.id)
        elif challenger.model.fingerprint != current.model.fingerprint:
            raise Conflict("ModelOutputMetadataMismatch", _other_columns(current, challenger))

    def _known_good(self, endpoint: Endpoint) -> Scorer | None:
        """Return a model of the columns that the endpoint's callers know; None where all of them are lost."""
        served = self._registry.find(endpoint.id)
        if served and served.scorer:
            return served.scorer
        default = self._registry.catalog.endpoint_named(endpoint.service_id, DEFAULT_ENDPOINT)
        known = (endpoint.model, *endpoint.past_models, default.model if default else "")
        for model in filter(None, dict.fromkeys(known)):
            try:
                return Scorer.load(self._artifacts.get(ArtifactKind.MODEL, model))
            except (ArtifactMissing, ModelFileError):
                continue
        return None

    def _saved(self, service_id: str, name: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        """Apply a change to the endpoint as it is now; a race with another writer is run again."""
        for _ in range(_MAX_RACES):
            try:
                self._store.save([change(self._current(service_id, name))])
            except Changed:
                self._registry.refresh()
                continue
            self._registry.refresh()
            return self._current(service_id, name)
        raise Unavailable("NoMoreResources", f"endpoint '{name}' is changing too fast to be updated; try again")

    def _current(self, service_id: str, name: str) -> Endpoint:
        endpoint = self._registry.catalog.endpoint_named(service_id, name)
        if endpoint is None:
            raise NotFound("WebServiceNotFound", f"the web service has no endpoint '{name}' any more")
        return endpoint


def _check_updatable(endpoint: Endpoint) -> None:
    if endpoint.name == DEFAULT_ENDPOINT:
        raise Forbidden(
            "PreventUpdate",
            f"endpoint '{endpoint.name}' follows the experiment and cannot be updated; add another endpoint with PUT "
            "and update that one",
        )
    if endpoint.prevent_update:
        raise Forbidden(
            "PreventUpdate",
            f"endpoint '{endpoint.name}' has PreventUpdate set; a PUT with PreventUpdate false lifts it",
        )


def _unknown_resource(service: WebService, name: str) -> str:
    known = f"its updatable resource is '{service.resource}'" if service.resource else "it has no updatable resource"
    return f"web service '{service.name}' has no resource '{name}'; {known}"


def _other_columns(current: Scorer, challenger: Scorer) -> str:
    before, after = dict(current.input_columns), dict(challenger.input_columns)
    differing = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    columns = f"in columns {differing}" if differing else "in its outputs or in how columns are prepared"
    return f"the model does not fit this endpoint: it differs from the present one {columns}"
