"""
Checks the configuration against the real services, before the first job.

One job is submitted for each model and cancelled without being started: it shows that the key fits, the ports are the
experiment's, and the service takes blobs of this account. The staging endpoint is asked to take over a model that is
not there, which only a service that reaches the storage can tell. Nothing is trained and no endpoint changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from azure.core.exceptions import AzureError

from shared.adapters.batch import BatchClient
from shared.adapters.blobs import BlobStore, trouble
from shared.adapters.endpoints import EndpointClient
from shared.adapters.reach import Reached
from shared.adapters.storage_layout import ARTIFACTS, CONTAINERS, HOLDOUTS, TRAINING_DATA
from shared.domain.diagnosis import Diagnosis, clock_diagnosis
from shared.domain.model import Model
from shared.errors import ProtocolMismatch, ServiceError, ServiceRejected
from shared.retraining import Clock
from shared.retraining.showing.health import UNPUBLISHED
from shared.wire import Endpoint, JobRequest

_PROBE_LIFETIME = timedelta(minutes=10)
_REFUSED = (401, 403)
_DEFAULT = "default"
_REACHABLE = "reachable"
_STAGING = "staging"
_HANDOVER = "handover"
_NOT_THERE = "BlobNotFound"

_NO_TOKENS = "the app cannot sign tokens: its identity needs the role Storage Blob Delegator on the data account"
_HOST_NOT_ALLOWED = "the service must be allowed to reach this storage: add its blob host to STUDIO_BLOB_HOSTS"


class Doctor:
    """Looks at storage, and at each model's services."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        batch: Callable[[Model], BatchClient],
        endpoint: Callable[[Model, str], EndpointClient],
        reach: Callable[[str], Reached],
        clock: Clock,
    ) -> None:
        self._models, self._blobs, self._batch, self._endpoint = models, blobs, batch, endpoint
        self._reach, self._clock = reach, clock

    def examine(self) -> list[Diagnosis]:
        """Return every check, in an order that tells causes before consequences."""
        found = list(self._storage())
        is_open = all(each.check != _REACHABLE for each in found)
        for _, model in sorted(self._models.items()):
            found += self._model(model, is_open)
        return found

    def _storage(self) -> Iterator[Diagnosis]:
        try:
            date = self._blobs.reachable(TRAINING_DATA)
            missing = [name for name in CONTAINERS if not self._blobs.has_container(name)]
        except AzureError as failed:
            remedy = "check the address and the key in DATA_STORAGE; with an identity, its roles"
            yield Diagnosis("storage", _REACHABLE, False, trouble(failed), remedy)
            return
        if missing:
            remedy = "the first tick makes them; with an identity `azd provision` does"
            yield Diagnosis("storage", "containers", False, f"missing: {', '.join(missing)}", remedy)
        else:
            yield Diagnosis("storage", "containers", True, "all are there")
        yield clock_diagnosis("storage", date, self._clock())

    def _model(self, model: Model, is_storage_open: bool) -> Iterator[Diagnosis]:
        if is_storage_open:
            yield from self._holdout(model)
        if any(UNPUBLISHED in address for address in model.addresses):
            remedy = "publish it: docs/azure.md, 'Publish a model'"
            yield Diagnosis(model.name, "published", False, "its addresses are the placeholders of infra/", remedy)
            return
        answer = self._reach(model.training.jobs_url)
        if answer.failure:
            remedy = "is the address right, and does the service run?"
            yield Diagnosis(model.name, "service", False, answer.failure, remedy)
            return
        yield clock_diagnosis(model.name, answer.date, self._clock())
        if is_storage_open:
            yield self._training(model)
        else:
            yield Diagnosis(model.name, "training", False, "not asked: a job needs storage", "first mend storage")
        for role in model.endpoints:
            described = self._scoring(model, role)
            yield described
            if role == _STAGING and described.ok and is_storage_open:
                yield self._reaching(model)

    def _holdout(self, model: Model) -> Iterator[Diagnosis]:
        if model.holdout:
            path = f"{HOLDOUTS}/{model.holdout}"
            try:
                is_there = self._blobs.blob(path).exists()
            except AzureError as failed:
                remedy = f"the app must read the container '{HOLDOUTS}': check its identity's roles"
                yield Diagnosis(model.name, "holdout", False, f"'{path}': storage {trouble(failed)}", remedy)
                return
            remedy = "" if is_there else "upload labelled rows there, or leave `holdout` out and be judged UNPAIRED"
            yield Diagnosis(model.name, "holdout", is_there, f"'{path}' is {'' if is_there else 'not '}there", remedy)

    def _training(self, model: Model) -> Diagnosis:
        """Submit a job that is never started, and cancel it."""
        service, batch = model.training, self._batch(model)
        place = f"{ARTIFACTS}/{model.name}/doctor/probe"
        request = JobRequest(
            inputs={
                service.input: self._blobs.job_reference(f"{place}-input.csv", write=False, lifetime=_PROBE_LIFETIME)
            },
            outputs={
                port: self._blobs.job_reference(f"{place}/{port}{extension}", write=True, lifetime=_PROBE_LIFETIME)
                for port, extension in service.outputs.items()
            },
            parameters=service.parameters,
        )
        try:
            batch.cancel(batch.submit(request, "doctor"), "doctor")
        except (ServiceError, AzureError) as failed:
            return Diagnosis(model.name, "training", False, str(failed), _training_remedy(failed))
        ports = ", ".join([service.input, *service.outputs])
        return Diagnosis(model.name, "training", True, f"the key fits; a job with {ports} over this storage is taken")

    def _scoring(self, model: Model, role: str) -> Diagnosis:
        try:
            endpoint = self._endpoint(model, role).describe("doctor")
        except ServiceError as failed:
            return Diagnosis(model.name, role, False, str(failed), _endpoint_remedy(failed, role))
        problem, remedy = endpoint_problem(endpoint, model.resource)
        found = problem or f"the key fits; '{endpoint.name}' holds '{model.resource}'"
        return Diagnosis(model.name, role, not problem, found, remedy)

    def _reaching(self, model: Model) -> Diagnosis:
        """Ask the service to fetch a blob that is not there."""
        path = f"{ARTIFACTS}/{model.name}/doctor/not-there.ilearner"
        try:
            missing = self._blobs.reference(path, write=False, lifetime=_PROBE_LIFETIME)
            self._endpoint(model, _STAGING).update(model.resource, missing, "doctor")
        except (ServiceError, AzureError) as refused:
            if getattr(refused, "code", "") == _NOT_THERE:
                found = "the service reaches this storage: it looked for a blob that is not there"
                return Diagnosis(model.name, _HANDOVER, True, found)
            return Diagnosis(model.name, _HANDOVER, False, str(refused), _handover_remedy(refused))
        found = f"'{_STAGING}' took over '{path}', which is not there: whether it reaches this storage is not known"
        remedy = "look at the service's own log; the next run gives the endpoint a model again"
        return Diagnosis(model.name, _HANDOVER, False, found, remedy)


def endpoint_problem(endpoint: Endpoint, resource: str) -> tuple[str, str]:
    """Return what keeps an endpoint from being updated, and the remedy; two empty texts when nothing does."""
    if endpoint.name == _DEFAULT:
        return "it is the default endpoint, which only a publication changes", "add an endpoint and name that one"
    if endpoint.prevent_update:
        return f"'{endpoint.name}' does not allow updates", "allow them in its settings"
    names = [each.name for each in endpoint.resources]
    if resource not in names:
        known = ", ".join(f"'{name}'" for name in names) or "none"
        return f"it has no updatable resource '{resource}'; it has {known}", "correct `scoring.resource` in models.toml"
    return "", ""


def _training_remedy(failed: Exception) -> str:
    if isinstance(failed, AzureError):
        return _NO_TOKENS
    if getattr(failed, "status", None) in _REFUSED:
        return "the key does not fit the address: take both from the same endpoint of the training web service"
    if getattr(failed, "status", None) == 404:
        return "there is no such training service: correct the address `training.jobs_url`"
    if isinstance(failed, ServiceRejected) and "STUDIO_BLOB_HOSTS" in str(failed):
        return _HOST_NOT_ALLOWED
    if isinstance(failed, (ServiceRejected, ProtocolMismatch)):
        return "compare `training.input`, `training.outputs` and `training.parameters` with the service's help page"
    return "try again; if it stays so, look at the service"


def _handover_remedy(failed: Exception) -> str:
    if isinstance(failed, AzureError):
        return _NO_TOKENS
    if "STUDIO_BLOB_HOSTS" in str(failed):
        return _HOST_NOT_ALLOWED
    return (
        "the service must reach the storage account by the address in DATA_STORAGE: look at the account's firewall, at "
        "private endpoints and name resolution where the service runs, and whether the account has that name"
    )


def _endpoint_remedy(failed: ServiceError, role: str) -> str:
    if failed.status in _REFUSED:
        return (
            f"the key of `scoring.{role}` does not fit its address: an endpoint has keys of its own; is it this one's?"
        )
    if failed.status == 404:
        return f"there is no such endpoint: correct the address of `scoring.{role}`"
    return "try again; if it stays so, look at the service"
