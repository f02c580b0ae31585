"""The Bicep files have no fault that the checker sees, and it sees every kind of fault that it knows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.checks.azure_types import TypeLibrary
from infra.checks.checking import Report, check_folder
from infra.checks.finding import Kind
from tests.infra.places import INFRA, ROOT, shared

TYPES = TypeLibrary(shared("bicep-types"))

# Kept to what the descriptions at hand lack, so that no other type can go unchecked.
UNDESCRIBED = {
    "Microsoft.Consumption/budgets@2023-11-01",
    "Microsoft.Insights/actionGroups@2023-01-01",
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",
    "Microsoft.Insights/scheduledQueryRules@2023-12-01",
    "Microsoft.Insights/workbooks@2022-04-01",
}

# Kind → file, text that is there, and what one slip makes of it.
FAULTS = {
    Kind.SYNTAX: ("modules/vault.bicep", "enableSoftDelete: true", "enableSoftDelete: = true"),
    Kind.UNKNOWN_TYPE: ("modules/registry.bicep", "registries@2025-04-01", "registries@2025-14-01"),
    Kind.UNKNOWN_PROPERTY: ("modules/storage-account.bicep", "allowBlobPublicAccess", "allowBlobPublicAcces"),
    Kind.READ_ONLY: ("modules/registry.bicep", "adminUserEnabled: false", "loginServer: 'x'"),
    Kind.MISSING: ("modules/vault.bicep", "tenantId: tenant().tenantId", ""),
    Kind.WRONG_TYPE: ("modules/studio.bicep", "queueLength: 1", "queueLength: '1'"),
    Kind.WRONG_VALUE: ("modules/storage-account.bicep", "defaultAction: 'Allow'", "defaultAction: 'allow'"),
    Kind.UNLISTED_VALUE: ("modules/storage-account.bicep", "'TLS1_2'", "'TLS12'"),
    Kind.UNDEFINED: ("modules/functions.bicep", "serverFarmId: plan.id", "serverFarmId: farm.id"),
    Kind.UNUSED: ("modules/registry.bicep", "tags: tags\n", ""),
    Kind.DUPLICATE: ("modules/identities.bicep", "resource studio ", "resource functions "),
    Kind.UNKNOWN_PARAMETER: ("main.bicep", "redundancy: storageRedundancy", "redundancy: storageRedundancy\n    x: 1"),
    Kind.MISSING_PARAMETER: ("main.bicep", "redundancy: storageRedundancy", ""),
    Kind.UNKNOWN_OUTPUT: ("main.bicep", "registry.outputs.loginServer", "registry.outputs.server"),
    Kind.MISSING_FILE: ("modules/alerts.bicep", "run-failed.kql", "run-failing.kql"),
    Kind.WRONG_PARENT: ("modules/storage-account.bicep", "parent: tableService", "parent: queueService"),
    Kind.WRONG_SCOPE: ("modules/identities.bicep", "param location", "targetScope = 'subscription'\n\nparam location"),
}  # fmt: skip

# A value may be hidden: behind a variable, a condition, a loop, a discriminator, in a nested or a scoped resource.
HIDDEN = [
    (Kind.WRONG_TYPE, "modules/studio.bicep", "var port = 5100", "var port = '5100'"),
    (Kind.UNKNOWN_PROPERTY, "modules/studio.bicep", "secretRef: 'studio-secret'", "secretReference: 'studio-secret'"),
    (Kind.UNKNOWN_PROPERTY, "modules/storage-account.bicep", "{ enabled: true, days:", "{ enabled: true, day:"),
    (Kind.UNKNOWN_PROPERTY, "modules/storage-account.bicep", "publicAccess: 'None'", "publicAcces: 'None'"),
    (Kind.UNKNOWN_PROPERTY, "event-subscription.bicep", "endpointUrl:", "endpointUri:"),
    (Kind.WRONG_VALUE, "event-subscription.bicep", "endpointType: 'WebHook'", "endpointType: 'Webhook'"),
    (Kind.UNKNOWN_PROPERTY, "modules/functions.bicep", "{ allow: false }", "{ allowed: false }"),
    (Kind.UNKNOWN_PROPERTY, "modules/vault.bicep", "contentType: 'setting", "content: 'setting"),
    (Kind.UNLISTED_VALUE, "modules/roles.bicep", "principalType: 'ServicePrincipal'", "principalType: 'Service'"),
    (Kind.WRONG_TYPE, "main.bicep", "maximumInstanceCount: maximumInstanceCount", "maximumInstanceCount: location"),
]


def test_the_files_have_no_findings() -> None:
    report = check_folder(INFRA, TYPES)

    assert [str(finding) for finding in report.findings] == []
    assert report.undescribed == UNDESCRIBED
    page = (ROOT / "docs" / "azure.md").read_text()
    assert f"types of {report.n_resources - 7} of {report.n_resources} resources" in page
    assert "the other seven, of five types" in page


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name.lower())
def test_a_fault_of_each_kind_is_seen(kind: Kind, tmp_path: Path) -> None:
    report = _with_fault(tmp_path, *FAULTS[kind])

    assert kind in {finding.kind for finding in report.findings}
    assert report.findings[0].path.name == Path(FAULTS[kind][0]).name


def test_every_kind_has_its_fault() -> None:
    assert set(FAULTS) == set(Kind)


@pytest.mark.parametrize(("kind", "file", "right", "wrong"), HIDDEN, ids=lambda value: str(value)[:40])
def test_a_hidden_fault_is_seen(kind: Kind, file: str, right: str, wrong: str, tmp_path: Path) -> None:
    report = _with_fault(tmp_path, file, right, wrong)

    assert kind in {finding.kind for finding in report.findings}


def _with_fault(folder: Path, file: str, right: str, wrong: str) -> Report:
    infra = folder / "infra"
    shutil.copytree(INFRA, infra, ignore=shutil.ignore_patterns("checks", "hooks", "__pycache__"))
    text = (infra / file).read_text()
    assert right in text, f"{file} no longer holds {right!r}"
    (infra / file).write_text(text.replace(right, wrong, 1))
    return check_folder(infra, TYPES)
