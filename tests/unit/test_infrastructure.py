"""What infra/ must agree on with the code: settings, names in storage, event names in the queries."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from infra.checks.template import Resource, Template, literal, properties, read_template, text_of, unwrapped, walk
from infra.packaging import PYTHON
from shared.adapters import storage_layout as layout
from shared.declarations.models_file import load_models
from shared.domain.data.dataset import is_table
from shared.domain.deciding.approval_token import is_strong
from shared.retraining.showing.health import UNPUBLISHED
from shared.secret import Secret
from studio.store import account
from tests.infra.evaluation import Evaluation

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
README = (ROOT / "README.md").read_text()
SAMPLE = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
# Settings with a reason not to be in the sample, or not to be in Azure.
LOCAL_ONLY = {"FUNCTIONS_WORKER_RUNTIME", "APP_URL"}  # Flex has the one in functionAppConfig, and says WEBSITE_HOSTNAME
AZURE_ONLY = {"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}
BETTER_LEFT_OUT = {"KEYED_HANDOVER"}  # a parameter of the deployment sets it
# The build's own; the platform's.
CODE_ONLY = {"RELEARN_VERSION", "WEBSITE_HOSTNAME", "WEBSITE_AUTH_ENABLED"}
PLATFORMS = {"WEBSITE_HOSTNAME", "WEBSITE_AUTH_ENABLED"}
CONNECTIONS = {"AzureWebJobsStorage", "DATA_STORAGE"}
IDENTITY = {"__blobServiceUri", "__queueServiceUri", "__tableServiceUri", "__credential", "__clientId"}


def strings(template: Template, name: str) -> list[str]:
    """The texts in a parameter's default or a variable."""
    node = template.variables.get(name) or template.parameters[name].node
    found = [literal(each) for each in walk(node) if each.type == "string"]
    return [text for text in found if text is not None]


def app_settings() -> set[str]:
    functions = read_template(INFRA / "modules" / "functions.bicep")
    nodes = [
        node
        for name in ("ownSettings", "approvalSettings", "handoverSettings")
        for node in walk(functions.variables[name])
    ]
    entries = [{key: value for key, value, _ in properties(node)} for node in nodes]
    own = {literal(entry["name"]) or "" for entry in entries if "name" in entry}
    return own | set(strings(read_template(INFRA / "main.bicep"), "modelSettings"))


def test_azure_has_the_settings_of_the_sample_and_no_others() -> None:
    identity = {connection + suffix for connection in CONNECTIONS for suffix in IDENTITY}

    assert app_settings() == set(SAMPLE) - LOCAL_ONLY - CONNECTIONS | AZURE_ONLY | BETTER_LEFT_OUT | identity, (
        "a setting of local.settings.sample.json belongs into infra/modules/functions.bicep, a model's into "
        "`modelSettings` of infra/main.bicep; or say above why not"
    )


def test_every_setting_that_the_code_reads_is_in_the_readme() -> None:
    code = "".join(path.read_text() for path in [ROOT / "function_app.py", *(ROOT / "shared").rglob("*.py")])
    read = set(re.findall(r'environ(?:ment)?\.get\("([A-Z_]+)"', code))

    assert read >= CODE_ONLY | BETTER_LEFT_OUT | {"DATA_STORAGE", "TELEMETRY"}
    assert read - CODE_ONLY - BETTER_LEFT_OUT <= set(SAMPLE), (
        "a setting that the app reads belongs into local.settings.sample.json"
    )
    told = (read | set(SAMPLE)) - PLATFORMS - LOCAL_ONLY | {"APP_URL"}
    assert [name for name in sorted(told) if f"`{name}`" not in README] == []


WEBHOOK = '\n[models.census.notify]\nurl = "%CENSUS_NOTIFY_URL%"\nsecret = "%CENSUS_NOTIFY_SECRET%"\n'


def test_the_app_starts_with_the_placeholders_of_the_vault(tmp_path: Path) -> None:
    models_file = tmp_path / "models.toml"
    models_file.write_text((ROOT / "models.toml").read_text() + WEBHOOK)
    settings = strings(read_template(INFRA / "main.bicep"), "modelSettings")

    models = load_models(models_file, placeholders([*settings, "CENSUS_NOTIFY_URL", "CENSUS_NOTIFY_SECRET"]))

    assert all(UNPUBLISHED in model.training.jobs_url for model in models.values())


def placeholders(settings: list[str]) -> dict[str, str]:
    """What infra/modules/vault.bicep puts into the vault for each setting."""
    vault = (INFRA / "modules" / "vault.bicep").read_text()
    base, other = re.search(r"var unpublished = '(.*)'", vault), re.search(r"endpoints/\S+ : '(.*)'", vault)
    jobs, endpoint = re.findall(r"'\$\{unpublished\}(/\S+)'", vault)
    assert base
    assert other
    addresses = {
        name: base[1] + (jobs if name.endswith("_JOBS_URL") else endpoint.replace("${toLower(name)}", name.lower()))
        for name in settings
        if name.endswith("_URL")
    }
    return {name: addresses.get(name, other[1]) for name in settings}


def test_the_signing_secret_of_the_vault_is_long_enough() -> None:
    vault = (INFRA / "modules" / "vault.bicep").read_text()

    assert "value: replace(approvalSeed, '-', '')" in vault
    assert "param approvalSeed string = newGuid()" in vault
    assert is_strong(Secret(uuid4().hex))  # what those two make


def accounts() -> dict[str, dict[str, list[str]]]:
    """Account → containers, tables and queues, as infra/modules/storage.bicep declares them."""
    storage = read_template(INFRA / "modules" / "storage.bicep")
    containers = {
        name: [literal(each) or "" for each in walk(value) if each.type == "string"]
        for name, value, _ in properties(storage.variables["containers"])
    }
    found: dict[str, dict[str, list[str]]] = {}
    for module in storage.modules:
        given = next(value for name, value, _ in properties(module.body) if name == "params")
        lists = {
            name: [literal(each) or "" for each in walk(value) if each.type == "string"]
            for name, value, _ in properties(given)
            if name in ("tables", "queues")
        }
        found[module.symbol] = lists | {"containers": containers[module.symbol]}
    return found


def test_the_data_account_holds_what_the_app_uses() -> None:
    data = accounts()["data"]

    assert data["tables"] == list(layout.TABLES)
    assert data["queues"] == [layout.EVALUATIONS]
    assert data["containers"] == [*layout.CONTAINERS, "undelivered-events"]


def test_the_studio_account_holds_what_the_service_uses() -> None:
    assert accounts()["studio"] == {
        "containers": [account.ARTIFACT_CONTAINER, account.DEFAULT_OUTPUT_CONTAINER],
        "tables": [account.CATALOG_TABLE, account.JOBS_TABLE],
        "queues": [account.JOB_QUEUE],
    }


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("storage-account.bicep", "allowBlobPublicAccess: false"),
        ("monitoring.bicep", "DisableLocalAuth: true"),
        ("functions.bicep", "keyVaultReferenceIdentity: identityId"),
        ("functions.bicep", f"runtime: {{ name: 'python', version: '{PYTHON}' }}"),
        ("../event-subscription.bicep", "deadLetterWithResourceIdentity: {"),
    ],
)
def test_nothing_in_azure_opens_by_a_password_and_nothing_undelivered_is_lost(module: str, said: str) -> None:
    assert said in (INFRA / "modules" / module).read_text()


def test_only_the_data_account_opens_to_its_keys_and_only_where_that_is_asked_for() -> None:
    for asked in (False, True):
        storage = Evaluation(read_template(INFRA / "modules" / "storage.bicep"), keyedHandover=asked)
        said = {
            module.symbol: next(storage.bodies(module))["params"]["allowSharedKeyAccess"]
            for module in read_template(INFRA / "modules" / "storage.bicep").modules
        }
        assert said == {"host": False, "data": asked, "studio": False}
    account = (INFRA / "modules" / "storage-account.bicep").read_text()
    assert "    allowSharedKeyAccess: allowSharedKeyAccess\n" in account
    assert "param keyedHandover bool = false\n" in (INFRA / "main.bicep").read_text()


def test_training_workers_start_with_the_queue_that_jobs_go_to_and_end_with_it() -> None:
    text = (INFRA / "modules" / "studio.bicep").read_text()
    training = text[text.index("minReplicas: 0") :]

    assert re.findall(r"queueName: '([^']+)'", text) == [account.JOB_QUEUE]
    assert f"queueName: '{account.JOB_QUEUE}'" in training


def test_events_are_filtered_for_the_trigger_and_sent_to_it() -> None:
    subscription = (INFRA / "event-subscription.bicep").read_text()
    app = (ROOT / "function_app.py").read_text()

    assert f"param container string = '{layout.TRAINING_DATA}'" in subscription
    function = re.search(r"param functionName string = '(\w+)'", subscription)
    assert function
    assert f'@app.function_name("{function[1]}")\n@app.blob_trigger(' in app
    assert "/runtime/webhooks/blobs" in subscription
    assert "subjectBeginsWith: '/blobServices/default/containers/${container}/'" in subscription
    ending = re.search(r"subjectEndsWith: '(.+)'", subscription)
    assert ending
    assert is_table(f"census/new{ending[1]}")
    assert "includedEventTypes: ['Microsoft.Storage.BlobCreated']" in subscription


@pytest.mark.parametrize("query", sorted((INFRA / "queries").glob("*.kql")), ids=lambda path: path.stem)
def test_every_event_of_a_query_is_logged_by_the_code(query: Path) -> None:
    code = "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))
    named = re.findall(r'startswith "([a-z]+\.[a-z_]*) ?"', query.read_text())

    assert [name for name in named if f'"{name}' not in code] == []


def test_every_role_assignment_says_why() -> None:
    lines = (INFRA / "modules" / "roles.bicep").read_text().splitlines()
    assignments = [at for at, line in enumerate(lines) if "Microsoft.Authorization/roleAssignments" in line]

    assert len(assignments) > 20
    assert [lines[at] for at in assignments if not lines[at - 1].startswith("// ")] == []


def test_every_role_is_assigned_by_its_published_name() -> None:
    roles = read_template(INFRA / "modules" / "roles.bicep")
    ids = {name: literal(value) for name, value, _ in properties(unwrapped(roles.variables["role"]))}
    used = {name for resource in roles.resources if not resource.is_existing for name in _roles_of(resource)}

    assert used == set(ids)
    assert ids == PUBLISHED


# Source: learn.microsoft.com, "Azure built-in roles".
PUBLISHED = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDataReader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "storageBlobDelegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "keyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "acrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
}


def _roles_of(resource: Resource) -> Any:
    return re.findall(r"role\.(\w+)", text_of(resource.body))
