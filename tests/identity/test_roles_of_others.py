"""Roles beside the app's on its data: those of studio and deployer as recorded, the platform's by what needs them."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.azurite import Azurite
from shared.adapters.blobs import BlobStore
from shared.secret import Secret
from shared.settings import ROOT
from shared.wire import JobRequest, JobStatus, Resource
from studio.batch.job_execution import outcome_of
from studio.batch.job_order import JobOrder, Outcome
from studio.batch.job_ports import job_ports
from studio.batch.submission import read_submission
from studio.blobs.connection import location_of
from studio.bootstrap import assemble, assemble_worker
from studio.commands.publish import publish
from studio.services.endpoint_change import EndpointChange
from studio.settings import Settings
from tests.identity.assignments import Assignment, assignments
from tests.identity.keyless import addresses
from tests.studio.exchanges import SECRET, TOKEN, people

Operation = tuple[str, str]  # which service of the account, and what: read, write, delegate
GRANTS = {
    # Generating a user delegation key is among this role's actions.
    "storageBlobDataContributor": {("blob", "read"), ("blob", "write"), ("blob", "delegate")},
    "storageTableDataContributor": {("table", "read"), ("table", "write")},
    "storageQueueDataContributor": {("queue", "read"), ("queue", "write")},
}
APP, STUDIO, DEPLOYER = "functionsPrincipalId", "studioPrincipalId", "deployerPrincipalId"


def _app(account: str, role: str) -> Assignment:
    return Assignment(APP, account, "", role)


# Nobody's calls can be recorded here: each of these roles is there for what the file beside it says.
NEEDED_FOR = {
    _app("host", "storageBlobDataOwner"): ("modules/functions.bicep", "AzureWebJobsStorage__blobServiceUri"),
    _app("host", "storageQueueDataContributor"): ("modules/functions.bicep", "AzureWebJobsStorage__queueServiceUri"),
    _app("host", "storageTableDataContributor"): ("modules/functions.bicep", "AzureWebJobsStorage__tableServiceUri"),
    _app("data", "storageQueueDataContributor"): ("modules/functions.bicep", "DATA_STORAGE__queueServiceUri"),
    Assignment(APP, "vault", "each secret", "keyVaultSecretsUser"): ("modules/functions.bicep", "@Microsoft.KeyVault("),
    _app("insights", "monitoringMetricsPublisher"): (
        "modules/functions.bicep",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    ),
    Assignment(STUDIO, "vault", "each secret", "keyVaultSecretsUser"): ("modules/studio.bicep", "keyVaultUrl:"),
    Assignment(STUDIO, "registry", "", "acrPull"): ("modules/studio.bicep", "registries: ["),
    Assignment(DEPLOYER, "data", "training-data", "storageBlobDataContributor"): ("../docs/azure.md", "drop files"),
    Assignment(DEPLOYER, "data", "holdouts", "storageBlobDataContributor"): (
        "../docs/azure.md",
        "-c holdouts -n census/holdout.csv",
    ),
    Assignment(DEPLOYER, "vault", "", "keyVaultSecretsOfficer"): ("hooks/publish.py", '"keyvault", "secret", "set"'),
}


class InThisProcess:
    """Runs a job's order here, where its requests are seen."""

    def __init__(self, order: JobOrder) -> None:
        self._outcome = outcome_of(order)
        self.pid = None

    def outcome(self, wait_s: float) -> Outcome:
        return self._outcome

    def close(self) -> None:
        pass


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch, https_azurite: Azurite) -> set[Operation]:
    """What is asked of the account under an identity from here on."""
    ports = https_azurite.ports
    services = {ports.blob: "blob", ports.queue: "queue", ports.table: "table"}
    found: set[Operation] = set()
    send = requests.Session.send

    def watched(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        if str(request.headers.get("Authorization", "")).startswith("Bearer ey") and "sig=" not in parts.query:
            what = "read" if request.method in ("GET", "HEAD") else "write"
            service = services[parts.port or 0]
            found.add((service, "delegate" if "userdelegationkey" in parts.query else what))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watched)
    monkeypatch.setattr("studio.batch.worker.JobProcess", InThisProcess)
    return found


def granted(principal: str) -> set[Operation]:
    """What somebody may do with the studio's account."""
    return {
        operation
        for each in assignments()
        if (each.principal, each.account) == (principal, "studio")
        for operation in GRANTS[each.role]
    }


def test_the_studios_roles_are_what_publishing_training_and_updating_need(
    connection: Secret, https_azurite: Azurite, tmp_path: Path, used: set[Operation]
) -> None:
    with_key = BlobStore(Secret(https_azurite.connection_string))
    with_key.write("artifacts/studio/train.csv", people(tmp_path / "train.csv", 400, seed=1).read_bytes())
    hour = timedelta(hours=1)
    place = location_of(addresses(https_azurite).partition("=")[2].partition(";")[0])
    settings = Settings.from_env(
        {
            "STUDIO_STORAGE": connection.reveal(),
            "STUDIO_URL": "https://studio.example",
            "STUDIO_SECRET": SECRET,
            "STUDIO_WORKSPACE": "f" * 32,
            "STUDIO_WORKSPACE_TOKEN": TOKEN,
            "STUDIO_BLOB_HOSTS": f"{place.host}:{place.port}",
        }
    )
    service = assemble(settings)

    published = publish(service, ROOT / "tests" / "data" / "income.toml", tmp_path / "train.csv", ["live"])
    by_deployer = set(used)
    service.storage.queue.clear_messages()  # other tests' errands
    used.clear()
    service.storage.prepare()
    service.registry.refresh()
    catalog = service.registry.catalog
    training = published.jobs_endpoint
    live = catalog.endpoint_named(published.predictive.id, "live")
    assert live
    inputs = {"input1": with_key.reference("artifacts/studio/train.csv", write=False, lifetime=hour)}
    ports = job_ports(published.training.kind, service.experiments.get(published.training.experiment))
    request = read_submission(JobRequest(inputs, {}, {}).to_wire(), ports, service.blobs)
    job = service.batches.submit(training.id, published.training.experiment, request)
    service.batches.start(training.id, job.id)
    _, worker = assemble_worker(settings, threading.Event())
    while worker.step():
        pass
    report = service.batches.report(training.id, job.id)
    assert report.status is JobStatus.FINISHED, report.details
    model = Resource(published.predictive.resource, report.results["output1"])
    service.endpoints.update(published.predictive, live, EndpointChange(resources=(model,)))

    assert used == granted(STUDIO)
    assert by_deployer - granted(DEPLOYER) == set()
    assert {service for service, _ in by_deployer} == {service for service, _ in granted(DEPLOYER)}


@pytest.mark.parametrize("assignment", NEEDED_FOR, ids=str)
def test_a_role_that_only_the_platform_uses_has_something_that_needs_it(assignment: Assignment) -> None:
    file, text = NEEDED_FOR[assignment]

    assert text in (ROOT / "infra" / file).read_text()


def test_no_role_is_given_elsewhere_but_to_put_undelivered_events_aside() -> None:
    elsewhere = {
        path.name: re.findall(r"^resource (\w+) 'Microsoft\.Authorization/roleAssignments@", path.read_text(), re.M)
        for path in (ROOT / "infra").rglob("*.bicep")
        if path.name != "roles.bicep"
    }

    assert {name: found for name, found in elsewhere.items() if found} == {"events.bicep": ["mayDeadLetter"]}
    assert "scope: account::blobs::deadLetters" in (ROOT / "infra/modules/events.bicep").read_text()


def test_every_role_is_either_recorded_or_needed_for_something() -> None:
    recorded = {
        each for each in assignments() if each.account == "studio" or (each.principal, each.account) == (APP, "data")
    }

    assert set(assignments()) - recorded - NEEDED_FOR.keys() == set()
    assert NEEDED_FOR.keys() - set(assignments()) == set()
