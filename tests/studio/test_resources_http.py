"""The resource of a new-style web service: shown, given another model, its keys listed and changed, deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from azure.storage.blob import BlobSasPermissions, ContainerClient, generate_blob_sas
from exchanges import DATA, ROW, TOKEN, Published, bearer, error_of, people, scored

from studio.blobs.connection import StorageAccount
from studio.engine.experiment import parse_experiment
from studio.engine.training import train

NAME = "Income: who earns more? [Predictive Exp.]"
RESOURCE = "Income who earns more [trained model]"
VERSIONS = ("2016-05-01-preview", "2017-01-01")  # the two that there were


class Resource:
    """A client of the resource, with the workspace token for want of Azure AD."""

    def __init__(self, published: Published, version: str = VERSIONS[0]) -> None:
        self.published, self.version = published, version
        self.subscription = published.json["workspace"]

    def call(self, method: str, path: str = "", name: str = NAME, token: str = TOKEN, **sent: Any) -> httpx.Response:
        group = f"/subscriptions/{self.subscription}/resourceGroups/rg/providers/Microsoft.MachineLearning"
        address = f"{group}/webServices{'/' if name else ''}{quote(name)}{path}?api-version={self.version}"
        return self.published.client.request(method, address, headers=bearer(token), **sent)

    def properties(self) -> dict[str, Any]:
        return dict(self.call("GET").raise_for_status().json()["properties"])


@pytest.fixture
def resource(published: Published) -> Resource:
    return Resource(published)


@pytest.fixture
def model(box: ContainerClient, account: StorageAccount, tmp_path: Path) -> dict[str, str]:
    """The locationInfo of a new model in a blob of the caller's own."""
    experiment = parse_experiment((DATA / "income.toml").read_text(encoding="utf-8"), "income.toml")
    data = people(tmp_path / "new.csv", 500, seed=5)
    box.upload_blob("new/model 1.ilearner", train(experiment, data, ".csv", threads=1).model_file)
    assert account.key is not None
    token = generate_blob_sas(
        account.name,
        str(box.container_name),
        "new/model 1.ilearner",
        account_key=account.key.reveal(),
        permission=BlobSasPermissions(read=True),
        expiry="2099-01-01T00:00:00Z",
    )
    uri = f"{account.base_location}{box.container_name}/new/model%201.ilearner"
    return {"uri": uri, "credentials": f"?{token}"}


def assets(location: dict[str, str], key: str = "asset1") -> dict[str, Any]:
    return {"properties": {"assets": {key: {"name": RESOURCE, "type": "Resource", "locationInfo": location}}}}


def test_a_web_service_is_shown_as_its_definition_without_keys(resource: Resource) -> None:
    shown = resource.call("GET").json()

    properties = shown["properties"]
    assert shown["name"] == NAME
    assert shown["type"] == "Microsoft.MachineLearning/webServices"
    assert properties["provisioningState"] == "Succeeded"
    assert properties["assets"]["asset1"]["name"] == RESOURCE
    assert list(properties["input"]["properties"]["input1"]["properties"]) == ["age", "hours", "job", "income"]
    assert "Scored Probabilities" in properties["output"]["properties"]["output1"]["properties"]
    assert "keys" not in properties
    assert httpx.get(properties["swaggerLocation"], trust_env=False).json()["swagger"] == "2.0"


def test_a_change_is_dated(resource: Resource) -> None:
    before = resource.properties()

    changed = resource.call("PATCH", json={"properties": {"diagnostics": {"level": "Error"}}}).json()["properties"]

    assert before["createdOn"] < before["modifiedOn"] < changed["modifiedOn"]
    assert changed["createdOn"] == before["createdOn"]
    assert resource.properties()["modifiedOn"] == changed["modifiedOn"]


@pytest.mark.parametrize("form", ["by its id", "by a dashed subscription"])
def test_a_web_service_is_found_by_its_id_and_by_a_dashed_subscription(resource: Resource, form: str) -> None:
    identifier = resource.published.json["predictive"]["web_service"]
    if form == "by a dashed subscription":
        plain = resource.subscription
        resource.subscription = "-".join([plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]])

    assert resource.call("GET", name=identifier).json()["name"] == NAME


def test_the_address_in_an_answer_leads_back_to_it(resource: Resource) -> None:
    shown = resource.call("GET").json()

    again = resource.published.client.get(f"{shown['id']}?api-version={VERSIONS[0]}", headers=bearer(TOKEN))

    assert again.json()["name"] == NAME


def test_web_services_are_listed(resource: Resource) -> None:
    listed = resource.call("GET", name="").json()

    assert {entry["name"] for entry in listed["value"]} == {"Income: who earns more?", NAME}
    assert listed["nextLink"] is None


@pytest.mark.parametrize("sent", ["token", "token in the uri", "connection string"])
def test_an_assets_new_location_is_what_serves(
    resource: Resource, model: dict[str, str], account: StorageAccount, sent: str
) -> None:
    before, staging = scored(resource.published, "default"), scored(resource.published, "staging")
    if sent == "token in the uri":
        model = {"uri": model["uri"] + model["credentials"]}
    if sent == "connection string":
        model["credentials"] = resource.published.service.settings.storage.reveal()

    answer = resource.call("PATCH", json=assets(model))

    assert answer.status_code == 200, answer.text
    assert scored(resource.published, "default") != before
    assert scored(resource.published, "staging") == staging


def test_a_whole_definition_can_be_sent_back_with_one_part_changed(resource: Resource, model: dict[str, str]) -> None:
    definition = resource.call("GET").json()
    definition["properties"]["assets"]["asset1"]["locationInfo"] = model
    before = scored(resource.published, "default")

    assert resource.call("PATCH", json=definition).status_code == 200

    assert scored(resource.published, "default") != before


@pytest.mark.parametrize("sent", ["alone", "by name"])
def test_an_asset_may_have_any_key(resource: Resource, model: dict[str, str], sent: str) -> None:
    body = assets(model, "trained")
    if sent == "alone":
        del body["properties"]["assets"]["trained"]["name"]
    body["properties"]["assets"]["module7"] = {"name": "Edit Metadata", "type": "Module"}
    before = scored(resource.published, "default")

    assert resource.call("PATCH", json=body).status_code == 200

    assert scored(resource.published, "default") != before


def test_a_definition_may_be_large_up_to_the_classic_limit(resource: Resource) -> None:
    def sent(n_bytes: int) -> int:
        return resource.call("PATCH", json=resource.call("GET").json() | {"comment": "x" * n_bytes}).status_code

    assert [sent(100_000), sent(3_000_000)] == [200, 413]


@pytest.mark.parametrize("version", [*VERSIONS, "2099-01-01", ""])
def test_every_version_of_the_interface_is_answered_alike(
    resource: Resource, model: dict[str, str], version: str
) -> None:
    other = Resource(resource.published, version)
    before = scored(resource.published, "default")

    assert other.properties() == resource.properties()
    assert set(other.call("GET", "/listKeys").json()) == {"primary", "secondary"}
    changed = other.call("PATCH", json=assets(model))
    assert changed.status_code == 200, changed.text
    assert "Azure-AsyncOperation" in changed.headers
    assert scored(resource.published, "default") != before


def test_an_unchanged_definition_changes_nothing(resource: Resource) -> None:
    before = scored(resource.published, "default")

    assert resource.call("PATCH", json=resource.call("GET").json()).status_code == 200

    assert scored(resource.published, "default") == before


def test_an_operation_can_be_followed_to_its_end(resource: Resource, model: dict[str, str]) -> None:
    answer = resource.call("PATCH", json=assets(model))

    status = resource.published.client.get(answer.headers["Azure-AsyncOperation"], headers=bearer(TOKEN)).json()

    assert (status["status"], status["provisioningState"], status["percentComplete"]) == ("Succeeded", "Succeeded", 100)
    assert status["startTime"] <= status["endTime"]


@pytest.mark.parametrize("operation", ["x", "f" * 22 + "0" * 32, "0" * 54])
def test_an_operations_address_answers_or_is_not_found(resource: Resource, operation: str) -> None:
    base = f"/subscriptions/{resource.subscription}/providers/Microsoft.MachineLearning/locations/local/operations"

    answer = resource.published.client.get(f"{base}/{operation}", headers=bearer(TOKEN))

    assert answer.status_code == (404 if operation == "x" else 200)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_both_keys_are_listed(resource: Resource, method: str) -> None:
    keys = resource.call(method, "/listKeys").json()

    default = resource.published.endpoint("default")
    assert keys == {"primary": default["primary_key"], "secondary": default["secondary_key"]}


def test_a_key_can_be_replaced(resource: Resource) -> None:
    published, key = resource.published, "k" * 40
    address = f"{published.endpoint('default')['api_location']}/execute"

    resource.call("PATCH", json={"properties": {"keys": {"primary": key}}})

    assert published.client.post(address, headers=bearer(key), json=ROW).status_code == 200
    assert published.client.post(address, headers=published.headers("default"), json=ROW).status_code == 401
    assert resource.call("GET", "/listKeys").json()["secondary"] == published.endpoint("default")["secondary_key"]


def test_concurrency_and_diagnostics_can_be_changed(resource: Resource) -> None:
    changed = {"realtimeConfiguration": {"maxConcurrentCalls": 50}, "diagnostics": {"level": "Error"}}

    resource.call("PATCH", json={"properties": changed})

    assert resource.properties().items() >= changed.items()


@pytest.mark.parametrize(
    ("properties", "status", "detail"),
    [
        ({"assets": {key: {"locationInfo": {"uri": "http://x/y"}} for key in "ab"}}, 400, "BadParameterValue"),
        ({"assets": {"asset7": "a"}}, 400, "RequestBodyInvalid"),
        (
            {"assets": {"asset1": {"name": "Another model", "locationInfo": {"uri": "http://x/y"}}}},
            400,
            "BadParameterValue",
        ),
        ({"assets": {"asset1": {"locationInfo": {}}}}, 400, "RequestBodyInvalid"),
        ({"assets": {"asset1": {"locationInfo": {"uri": "file:///etc/passwd"}}}}, 400, "BadParameterValue"),
        ({"assets": {"asset1": {"locationInfo": {"uri": "https://evil.example/a/b"}}}}, 400, "InvalidBlob"),
        ({"assets": []}, 400, "RequestBodyInvalid"),
        (
            {"realtimeConfiguration": {"maxConcurrentCalls": 3}},
            400,
            "WebServiceConcurrentRequestRequirementInvalid",
        ),
        ({"diagnostics": {"level": "Some"}}, 400, "BadParameterValue"),
        ({"keys": {"primary": "short"}}, 400, "BadParameterValue"),
    ],
)
def test_each_mistake_has_the_protocols_codes(
    resource: Resource, properties: dict[str, Any], status: int, detail: str
) -> None:
    answer = resource.call("PATCH", json={"properties": properties})

    assert error_of(answer)[::2] == (status, detail), answer.text


def test_credentials_of_another_account_are_refused(resource: Resource, model: dict[str, str]) -> None:
    model["credentials"] = "AccountName=other;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/other"

    answer = resource.call("PATCH", json=assets(model))

    assert error_of(answer) == (400, "BadArgument", "InvalidBlobConnectionString")
    assert "a2V5" not in answer.text


def test_bytes_that_are_no_model_leave_the_old_one(
    resource: Resource, model: dict[str, str], box: ContainerClient
) -> None:
    box.upload_blob("new/model 1.ilearner", b"no model", overwrite=True)
    before = scored(resource.published, "default")

    answer = resource.call("PATCH", json=assets(model))

    assert error_of(answer) == (400, "InvalidOperation", "IncompatibleModel")
    assert scored(resource.published, "default") == before


def test_a_model_alone_becomes_a_web_service(resource: Resource, model: dict[str, str]) -> None:
    definition = assets(model, "asset3")
    definition["properties"] |= {"description": "By hand", "keys": {"primary": "k" * 40}}
    definition["properties"]["assets"]["asset1"] = {"name": "Edit Metadata", "type": "Module"}

    made = resource.call("PUT", name="Made: by hand", json=definition)
    again = resource.call("PUT", name="Made: by hand", json={"properties": {"diagnostics": {"level": "All"}}})

    assert (made.status_code, again.status_code) == (201, 200), made.text
    assert made.headers["Azure-AsyncOperation"]
    assert made.json()["properties"]["description"] == "By hand"
    assert again.json()["properties"]["diagnostics"] == {"level": "All"}
    api = made.json()["properties"]["swaggerLocation"].removesuffix("/swagger.json")
    answer = resource.published.client.post(f"{api}/execute", headers=bearer("k" * 40), json=ROW)
    before = scored(resource.published, "default")
    resource.call("PATCH", json=assets(model))
    assert (
        answer.json()["Results"]["output1"]["value"]["Values"][0][-1] == scored(resource.published, "default") != before
    )
    assert "Scored Labels" in httpx.get(f"{api}/swagger.json", trust_env=False).text


def test_a_definition_without_a_model_is_refused_with_what_to_do(resource: Resource) -> None:
    answer = resource.call("PUT", name="New", json={"properties": {"title": "New"}})

    assert error_of(answer) == (400, "BadArgument", "MissingModelPackage")
    assert "publish an experiment" in answer.text


def test_a_deleted_web_service_is_gone_and_deleting_it_again_changes_nothing(resource: Resource) -> None:
    first, second = resource.call("DELETE"), resource.call("DELETE")

    assert (first.status_code, second.status_code) == (202, 204)
    operation = resource.published.client.get(first.headers["Azure-AsyncOperation"], headers=bearer(TOKEN))
    assert operation.json()["status"] == "Succeeded"
    assert resource.call("GET").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/listKeys")])
def test_an_endpoints_own_key_does_not_open_the_resource(resource: Resource, method: str, path: str) -> None:
    answer = resource.call(method, path, token=resource.published.endpoint("default")["primary_key"])

    assert error_of(answer) == (401, "Unauthorized", "ManagementRequestUnauthorized")


def test_another_subscription_is_not_found(resource: Resource) -> None:
    resource.subscription = "0" * 32

    assert error_of(resource.call("GET")) == (404, "NotFound", "WorkspaceNotFound")
