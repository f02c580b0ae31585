"""
Publishing over HTTP: the caller sends a declaration and names its data; a worker trains; the caller then publishes.

Training never runs in a process that scores. Until the second step, only the training web service is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.errors import AlreadyExists, Changed, shape_of
from shared.wire import JobReport
from studio.batch.batches import Batches
from studio.batch.job_ports import job_ports
from studio.batch.submission import read_submission
from studio.blobs.blob_access import BlobAccess, BlobFault
from studio.engine.errors import ExperimentError, ModelFileError
from studio.engine.experiment import Experiment, parse_experiment
from studio.engine.model_file import ModelFile
from studio.errors import BadArgument, InvalidOperation, NotFound, Unavailable
from studio.publications.experiments import Experiments
from studio.publications.publication import (
    ArtifactDigests,
    Publication,
    new_training_service,
    record_publication,
    summary_json,
)
from studio.services.catalog import DEFAULT_ENDPOINT, Endpoint, Kind
from studio.services.endpoints import ENDPOINT_NAME, ENDPOINT_NAME_RULE, new_endpoint
from studio.store.artifacts import ArtifactKind, Artifacts
from studio.store.catalog import CatalogStore

_ACTIVITY = re.compile(r"([0-9a-f]{32})([0-9a-f]{32})")
_MAX_RACES = 5


@dataclass(frozen=True)
class Activity:
    """One publication under way: the training endpoint and the job that trains the first model."""

    endpoint_id: str
    job_id: str

    @property
    def id(self) -> str:
        """64 hex digits."""
        return self.endpoint_id + self.job_id

    @classmethod
    def from_id(cls, text: str) -> Activity:
        """Read an id; NotFound when it is none."""
        parts = _ACTIVITY.fullmatch(text)
        if parts is None:
            raise NotFound("JobNotFound", f"no publication '{text[:80]}' is under way; its id has 64 hex digits")
        return cls(*parts.groups())


class Publishing:
    """The steps; each may be repeated."""

    def __init__(
        self, store: CatalogStore, artifacts: Artifacts, experiments: Experiments, batches: Batches, blobs: BlobAccess
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._experiments = experiments
        self._batches = batches
        self._blobs = blobs

    def begin(self, workspace: str, body: object, request_id: str = "") -> Activity:
        """
        Check a declaration, keep it, and start the job that trains its first model.

        Args:
            body: `Experiment`, the declaration's text, and `Data`, a reference to a blob.
            request_id: The HTTP request's, for the log.

        Raises:
            BadArgument: The declaration cannot be used, naming all its problems, or the reference cannot.
        """
        fields = _fields(body)
        experiment = _declared(fields.get("Experiment"))
        submission = {
            "Inputs": {experiment.input_name: fields.get("Data")},
            "GlobalParameters": fields.get("GlobalParameters"),
        }
        request = read_submission(submission, job_ports(Kind.TRAINING, experiment), self._blobs)
        digest = self._artifacts.put(ArtifactKind.EXPERIMENT, experiment.source_text.encode())
        endpoint = self._training_endpoint(workspace, experiment, digest)
        job = self._batches.submit(endpoint.id, digest, request, request_id=request_id)
        self._batches.start(endpoint.id, job.id)
        return Activity(endpoint.id, job.id)

    def report(self, activity: Activity) -> JobReport:
        """Say where the training is."""
        return self._batches.report(activity.endpoint_id, activity.job_id)

    def complete(self, workspace: str, activity: Activity, body: object) -> Publication:
        """
        Publish what the job has trained.

        Args:
            body: `Endpoints`, names of further endpoints; may be absent.

        Raises:
            InvalidOperation: The job has not finished, or what it wrote is no model.
        """
        names = _endpoint_names(_fields(body if body is not None else {}).get("Endpoints"))
        job = self._batches.finished(activity.endpoint_id, activity.job_id)
        experiment = self._experiments.get(job.experiment)
        try:
            data = self._blobs.read(job.request.outputs[experiment.model_output])
            model = ModelFile.read(data)
        except BlobFault as fault:
            raise BadArgument(fault.detail, f"the model that the job has written: {fault}") from None
        except ModelFileError as error:
            raise InvalidOperation("IncompatibleModel", str(error)) from None
        digests = ArtifactDigests(job.experiment, self._artifacts.put(ArtifactKind.MODEL, data))
        summary = summary_json(model.data, model.metrics, model.libraries)
        return record_publication(self._store, workspace, experiment, digests, names, summary)

    def _training_endpoint(self, workspace: str, experiment: Experiment, digest: str) -> Endpoint:
        """Find the endpoint that trains an experiment of this name, or make it with its web service."""
        for _ in range(_MAX_RACES):
            catalog = self._store.read()
            service = catalog.service_named(experiment.name)
            known = catalog.endpoint_named(service.id, DEFAULT_ENDPOINT) if service else None
            if known is not None and service is not None and service.kind is Kind.TRAINING:
                return known
            if service is not None:
                raise BadArgument("BadParameterValue", f"'{experiment.name}' names a web service that does not train")
            now = datetime.now(UTC)
            made = new_training_service(workspace, experiment, digest, now)
            endpoint = new_endpoint(made, DEFAULT_ENDPOINT, "", now)
            try:
                self._store.save([made, endpoint])
            except (AlreadyExists, Changed):
                continue
            return endpoint
        raise Unavailable("NoMoreResources", "the workspace is changing too fast to publish into it; try again")


def _fields(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise BadArgument("RequestBodyInvalid", f"the body must be an object, got {shape_of(body)}")
    return body


def _declared(text: object) -> Experiment:
    if not isinstance(text, str):
        raise BadArgument("RequestBodyInvalid", f"Experiment must be the declaration's text, got {shape_of(text)}")
    try:
        return parse_experiment(text, "Experiment")
    except ExperimentError as error:
        raise BadArgument("ModelConfigurationInvalid", str(error)) from None


def _endpoint_names(names: object) -> Sequence[str]:
    if names is None:
        return ()
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadArgument("RequestBodyInvalid", f"Endpoints must be a list of names, got {shape_of(names)}")
    wrong = [name for name in names if not ENDPOINT_NAME.fullmatch(name)]
    if wrong:
        raise BadArgument("BadParameterValue", f"Endpoints {wrong} cannot be used: {ENDPOINT_NAME_RULE}")
    return names
