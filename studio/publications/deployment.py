"""A web service out of a trained model alone: what `PUT` of a new-style web service's definition asks for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import tomli_w

from shared.errors import AlreadyExists, Changed, ProtocolMismatch
from shared.logs import event
from shared.wire import MODEL_EXTENSION, Body
from shared.wire.reading import read_object, read_optional_text
from studio.blobs.blob_access import MAX_MODEL_BYTES, BlobAccess, BlobFault
from studio.engine.errors import ExperimentError, ModelFileError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.model_file import ModelFile
from studio.errors import BadArgument, InvalidOperation, Unavailable
from studio.publications.definition import located, read_properties
from studio.services.catalog import DEFAULT_ENDPOINT, Endpoint, Kind, WebService
from studio.services.endpoint_change import EndpointChange
from studio.services.endpoints import new_endpoint
from studio.services.keys import new_id
from studio.serving.registry import Registry
from studio.store.artifacts import ArtifactKind, Artifacts
from studio.store.catalog import CatalogStore

_log = logging.getLogger(__name__)


class Deployment:
    """Creates predictive web services; their declaration is what the model says of itself."""

    def __init__(self, store: CatalogStore, registry: Registry, artifacts: Artifacts, blobs: BlobAccess) -> None:
        self._store = store
        self._registry = registry
        self._artifacts = artifacts
        self._blobs = blobs

    def create(self, workspace: str, name: str, body: object) -> tuple[WebService, Endpoint]:
        """
        Make a web service with its endpoint `default`.

        Args:
            body: The definition; its one asset with a location is the model.

        Raises:
            BadArgument: The definition has no model, or one that cannot be read.
            InvalidOperation: IncompatibleModel, the bytes are no model.
            Unavailable: Somebody made one of that name at the same moment.
        """
        try:
            fields = read_object(read_object(body, "body").get("properties") or {}, "properties")
            asset = _model_asset(fields)
            properties = read_properties(fields)
        except ProtocolMismatch as error:
            raise BadArgument(error.code, f"{error.where}: expected {error.expected}, got {error.got}") from None
        data = self._fetched(asset)
        experiment = _declared(name, data)
        now = datetime.now(UTC)
        service = WebService(
            id=new_id(),
            workspace=workspace,
            name=name,
            kind=Kind.PREDICTIVE,
            experiment=self._artifacts.put(ArtifactKind.EXPERIMENT, experiment.source_text.encode()),
            input_name=experiment.input_name,
            resource=read_optional_text(asset, "name", "assets") or experiment.resource_name,
            created_at=now,
            description=read_optional_text(fields, "description", "properties"),
        )
        model = self._artifacts.put(ArtifactKind.MODEL, data)
        endpoint = EndpointChange(properties).applied_to(new_endpoint(service, DEFAULT_ENDPOINT, model, now))
        self._save(service, endpoint)
        return service, endpoint

    def _save(self, service: WebService, endpoint: Endpoint) -> None:
        try:
            self._store.save([service, endpoint])
        except (AlreadyExists, Changed):
            raise Unavailable("NoMoreResources", "somebody else changed it at the same moment; try again") from None
        self._registry.refresh()
        event(_log, "service.created", service=service.name, service_id=service.id)

    def _fetched(self, asset: Mapping[str, Any]) -> bytes:
        reference = located(asset["locationInfo"], "assets.locationInfo")
        try:
            self._blobs.check(reference)
            return self._blobs.read(reference, limit=MAX_MODEL_BYTES)
        except BlobFault as fault:
            raise BadArgument(fault.detail, f"the model: {fault}") from None


def _model_asset(fields: Mapping[str, Any]) -> Body:
    """Find the asset that is a model: a whole definition, exported, has others beside it."""
    entries = read_object(fields.get("assets") or {}, "assets")
    assets = [dict(read_object(entry, f"assets.{key}")) for key, entry in entries.items()]
    models = [asset for asset in assets if _is_model(asset)]
    if len(models) != 1:
        raise BadArgument(
            "MissingModelPackage",
            f"a definition needs one asset whose locationInfo.uri ends in {MODEL_EXTENSION}, this has {len(models)}; "
            "to train a model, publish an experiment with POST /workspaces/{workspace}/experiments",
        )
    return models[0]


def _is_model(asset: Mapping[str, Any]) -> bool:
    location = asset.get("locationInfo")
    uri = location.get("uri") if isinstance(location, dict) else None
    return isinstance(uri, str) and uri.partition("?")[0].lower().endswith(MODEL_EXTENSION)


def _declared(name: str, data: bytes) -> Experiment:
    try:
        text = tomli_w.dumps({**ModelFile.read(data).declaration(), "name": name})
        return parse_experiment(text, "the model")
    except (ModelFileError, ExperimentError) as error:
        raise InvalidOperation("IncompatibleModel", str(error)) from None
