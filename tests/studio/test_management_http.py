"""Endpoint management over HTTP: list, create, update, delete, and who may do what."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import BlobSasPermissions, ContainerClient, generate_blob_sas
from exchanges import DATA, TOKEN, Published, bearer, error_of, people, recorded, wait_for

from shared import wire
from studio.bootstrap import assemble
from studio.connection import StorageAccount
from studio.endpoint_change import EndpointChange
from studio.engine.experiment import parse_experiment
from studio.engine.training import train

RESOURCE = "Income who earns more [trained model]"
ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}


class Model:
    """A model in a blob of the caller's own."""

    def __init__(self, box: ContainerClient, account: StorageAccount) -> None:
        self.box = box
        self.account = account

    def stored(self, data: bytes, name: str = "model.ilearner") -> dict[str, Any]:
        """Upload bytes and return the Location that names them, with a token to read them."""
        self.box.upload_blob(name, data, overwrite=True)
        assert self.account.key is not None
        token = generate_blob_sas(
            self.account.name,
            str(self.box.container_name),
            name,
            account_key=self.account.key.reveal(),
            permission=BlobSasPermissions(read=True),
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )
        return {
            "ConnectionString": None,
            "BaseLocation": self.account.base_location,
            "RelativeLocation": f"{self.box.container_name}/{name}",
            "SasBlobToken": f"?{token}",
        }


@pytest.fixture
def model(box: ContainerClient, account: StorageAccount) -> Model:
    return Model(box, account)


@pytest.fixture
def challenger(tmp_path: Path) -> bytes:
    return trained(tmp_path)


def trained(directory: Path, declaration: str | None = None) -> bytes:
    text = declaration or (DATA / "income.toml").read_text(encoding="utf-8")
    path = people(directory / "challenger.csv", 400, seed=9)
    return train(parse_experiment(text, "income.toml"), path, ".csv", threads=1).model_file


def update(location: dict[str, Any], name: str = RESOURCE) -> dict[str, Any]:
    return {"Resources": [{"Name": name, "Location": location}]}


def patch(published: Published, body: object, name: str = "live", **sent: Any) -> httpx.Response:
    headers = sent.pop("headers", published.headers(name))
    return published.client.patch(published.endpoint(name)["management_url"], headers=headers, json=body)


def scored(published: Published, name: str) -> str:
    endpoint = published.endpoint(name)
    answer = published.client.post(f"{endpoint['api_location']}/execute", headers=published.headers(name), json=ROW)
    return str(answer.raise_for_status().json()["Results"]["output1"]["value"]["Values"][0][-1])


def service_url(published: Published) -> str:
    return str(published.endpoint("live")["management_url"].rpartition("/endpoints/")[0])


def test_a_patch_gives_the_endpoint_another_model_and_leaves_the_others(
    published: Published, model: Model, challenger: bytes
) -> None:
    before = scored(published, "live")

    answer = patch(published, update(model.stored(challenger)))

    assert (answer.status_code, answer.content) == (204, b"")
    assert scored(published, "live") != before
    assert scored(published, "staging") == scored(published, "default") == before


def test_a_replica_serves_the_new_model_within_a_second(published: Published, model: Model, challenger: bytes) -> None:
    replica = assemble(published.service.settings)
    replica.registry.refresh()
    endpoint = next(e for e in published.publication.endpoints if e.name == "live")
    before = replica.registry.find(endpoint.id)

    patch(published, update(model.stored(challenger)))
    replica.registry.refresh()

    after = replica.registry.find(endpoint.id)
    assert before is not None
    assert after is not None
    assert before.endpoint.model != after.endpoint.model
    assert before.scorer is not after.scorer


def test_a_server_follows_a_patch_that_another_process_made(
    published: Published, model: Model, challenger: bytes
) -> None:
    other = assemble(published.service.settings)
    other.registry.refresh()
    service = other.registry.catalog.services[published.publication.predictive.id]
    endpoint = other.registry.catalog.endpoint_named(service.id, "live")
    assert endpoint is not None
    before = scored(published, "live")
    location = wire.BlobReference.from_wire(model.stored(challenger), "Location")

    other.endpoints.update(service, endpoint, EndpointChange(resources=(wire.Resource(RESOURCE, location),)))

    wait_for(lambda: scored(published, "live") != before, "the server to serve the new model", seconds=10)


def test_the_model_may_be_named_by_connection_string(published: Published, model: Model, challenger: bytes) -> None:
    location = model.stored(challenger)
    location = {
        "ConnectionString": published.service.settings.storage.reveal(),
        "RelativeLocation": location["RelativeLocation"],
    }

    assert patch(published, update(location)).status_code == 204


def test_the_service_keeps_the_model_when_the_callers_blob_is_gone(
    published: Published, model: Model, challenger: bytes
) -> None:
    patch(published, update(model.stored(challenger)))
    after = scored(published, "live")
    model.box.delete_blob("model.ilearner")

    restarted = assemble(published.service.settings)
    restarted.registry.refresh()

    endpoint = next(e for e in published.publication.endpoints if e.name == "live")
    served = restarted.registry.find(endpoint.id)
    assert served is not None
    assert served.scorer is not None
    columns, rows = ["age", "hours", "job"], [["40", "40", "clerk"]]
    assert served.scorer.score(columns, rows)[0][-1] == after


def test_the_endpoint_shows_a_location_from_which_its_model_can_be_put_back(
    published: Published, model: Model, challenger: bytes
) -> None:
    before = scored(published, "live")
    shown = published.client.get(published.endpoint("live")["management_url"], headers=published.headers("live")).json()
    patch(published, update(model.stored(challenger)))
    assert scored(published, "live") != before

    answer = patch(published, {"Resources": shown["Resources"]})

    assert answer.status_code == 204
    assert scored(published, "live") == before


def test_no_request_fails_while_models_are_swapped(published: Published, model: Model, challenger: bytes) -> None:
    first = published.client.get(
        published.endpoint("live")["management_url"], headers=published.headers("live")
    ).json()["Resources"]
    second = update(model.stored(challenger))
    seen: set[str] = set()
    stop = threading.Event()

    def keep_scoring() -> None:
        while not stop.is_set():
            seen.add(scored(published, "live"))

    caller = threading.Thread(target=keep_scoring)
    caller.start()
    statuses = [patch(published, body).status_code for body in (second, {"Resources": first}, second)]
    stop.set()
    caller.join()

    assert statuses == [204] * 3
    assert len(seen) == 2


def test_the_default_endpoint_cannot_be_updated(published: Published, model: Model, challenger: bytes) -> None:
    answer = patch(published, update(model.stored(challenger)), "default")

    assert error_of(answer) == (403, "Forbidden", "PreventUpdate")
    assert "add another endpoint" in answer.json()["error"]["details"][0]["message"]


def test_an_unknown_resource_is_refused_with_the_name_of_the_known_one(published: Published) -> None:
    answer = patch(published, update({"RelativeLocation": "box/model.ilearner"}, "Other [trained model]"))

    assert error_of(answer) == (400, "BadArgument", "BadParameterValue")
    assert RESOURCE in answer.json()["error"]["details"][0]["message"]


def test_a_model_with_other_columns_is_a_conflict_and_the_old_one_stays(
    published: Published, model: Model, tmp_path: Path
) -> None:
    before = scored(published, "live")
    other = (DATA / "income.toml").read_text(encoding="utf-8").replace('hours = "Numeric"', 'hours = "Integer"')

    answer = patch(published, update(model.stored(trained(tmp_path, other))))

    assert error_of(answer) == (409, "Conflict", "ModelOutputMetadataMismatch")
    assert "hours" in answer.json()["error"]["details"][0]["message"]
    assert scored(published, "live") == before


@pytest.mark.parametrize("damage", [lambda data: b"PK" + data[:100], lambda data: data[:-20], lambda _: b"cos\nsystem"])
def test_bytes_that_are_no_model_are_refused_and_the_old_one_stays(
    published: Published, model: Model, challenger: bytes, damage: Any
) -> None:
    before = scored(published, "live")

    answer = patch(published, update(model.stored(damage(challenger))))

    assert error_of(answer) == (400, "InvalidOperation", "IncompatibleModel")
    assert scored(published, "live") == before


def test_a_blob_that_does_not_exist_is_said(published: Published, model: Model) -> None:
    location = model.stored(b"")
    model.box.delete_blob("model.ilearner")

    assert error_of(patch(published, update(location))) == (400, "BadArgument", "BlobNotFound")


def test_a_location_elsewhere_is_not_fetched(published: Published) -> None:
    location = {"BaseLocation": "http://169.254.169.254/", "RelativeLocation": "a/b", "SasBlobToken": "?x=1"}

    answer = patch(published, update(location))

    assert error_of(answer) == (400, "BadArgument", "InvalidBlob")
    assert "STUDIO_BLOB_HOSTS" in answer.json()["error"]["details"][0]["message"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "RequestBodyInvalid"),
        (None, "RequestBodyInvalid"),
        ({"Resources": {}}, "RequestBodyInvalid"),
        ({"Resources": [{}]}, "RequestBodyInvalid"),
        ({"Resources": [{"Name": RESOURCE}]}, "RequestBodyInvalid"),
        ({"MaxConcurrentCalls": 0}, "BadParameterValue"),
        ({"MaxConcurrentCalls": 201}, "BadParameterValue"),
        ({"MaxConcurrentCalls": True}, "BadParameterValue"),
        ({"ThrottleLevel": "Medium"}, "BadParameterValue"),
        ({"DiagnosticsTraceLevel": "Some"}, "BadParameterValue"),
        ({"Description": 1}, "BadParameterValue"),
        ({"Description": "x" * 5000}, "BadParameterValue"),
    ],
)
def test_each_mistake_in_an_update_is_named(published: Published, body: object, detail: str) -> None:
    assert error_of(patch(published, body)) == (400, "BadArgument", detail)


def test_properties_are_updated_without_touching_the_model(published: Published) -> None:
    before = scored(published, "live")

    answer = patch(published, {"Description": "spring", "ThrottleLevel": "High", "MaxConcurrentCalls": 20})

    shown = published.client.get(published.endpoint("live")["management_url"], headers=published.headers("live")).json()
    assert answer.status_code == 204
    assert (shown["Description"], shown["ThrottleLevel"], shown["MaxConcurrentCalls"]) == ("spring", "High", 20)
    assert scored(published, "live") == before


def test_an_endpoint_is_shown_with_exactly_the_recorded_fields(published: Published) -> None:
    shape = recorded("management_bodies.json")["endpoint"]["body"]

    shown = published.client.get(published.endpoint("live")["management_url"], headers=published.headers("live")).json()

    assert list(shown) == list(shape)
    assert list(shown["Resources"][0]) == list(shape["Resources"][0])
    assert shown["Resources"][0]["Name"] == RESOURCE
    assert shown["ApiLocation"] == published.endpoint("live")["api_location"]
    assert shown["PrimaryKey"] == published.endpoint("live")["primary_key"]
    assert len(shown["PrimaryKey"]) == 88


def test_a_web_service_is_shown_with_exactly_the_recorded_fields(published: Published) -> None:
    shape = recorded("management_bodies.json")["web_service"]["body"]

    shown = published.client.get(service_url(published), headers=bearer(TOKEN)).json()

    assert list(shown) == list(shape)
    assert (shown["DefaultEndpointName"], shown["EndpointCount"]) == ("default", 3)


def test_services_and_endpoints_are_listed_oldest_first(published: Published) -> None:
    services_url = service_url(published).rpartition("/")[0]

    services = published.client.get(services_url, headers=bearer(TOKEN)).json()
    endpoints = published.client.get(f"{service_url(published)}/endpoints", headers=bearer(TOKEN)).json()

    assert {s["Name"] for s in services} == {
        "Income: who earns more?",
        "Income: who earns more? [Predictive Exp.]",
    }
    assert {e["Name"] for e in endpoints} == {"default", "live", "staging"}
    assert {e["Name"]: e["PreventUpdate"] for e in endpoints} == {"default": True, "live": False, "staging": False}


def test_a_created_endpoint_has_the_default_model_and_keys_of_its_own(published: Published) -> None:
    body = recorded("management_bodies.json")["create"]["body"]
    address = f"{service_url(published)}/endpoints/retrain"

    answer = published.client.put(address, headers=bearer(TOKEN), json=body)

    created = wire.Endpoint.from_wire(answer.json())
    assert answer.status_code == 201
    assert (created.description, created.throttle_level, created.max_concurrent_calls) == ("for retraining", "High", 20)
    assert not created.prevent_update
    answer = published.client.post(
        f"{created.api_location}/execute", headers=bearer(created.primary_key.reveal()), json=ROW
    )
    assert answer.json()["Results"]["output1"]["value"]["Values"][0][-1] == scored(published, "default")


def test_creating_an_endpoint_again_keeps_its_keys_and_changes_its_properties(published: Published) -> None:
    address = published.endpoint("live")["management_url"]

    answer = published.client.put(address, headers=bearer(TOKEN), json={"Description": "again"})

    assert answer.status_code == 200
    assert answer.json()["PrimaryKey"] == published.endpoint("live")["primary_key"]
    assert answer.json()["Description"] == "again"


@pytest.mark.parametrize("name", ["Retrain", "re-train", "a" * 25])
def test_an_endpoints_name_is_short_and_plain(published: Published, name: str) -> None:
    answer = published.client.put(f"{service_url(published)}/endpoints/{name}", headers=bearer(TOKEN), json={})

    assert error_of(answer) == (400, "BadArgument", "BadParameterValue")


def test_a_deleted_endpoint_is_gone_and_the_others_stay(published: Published) -> None:
    staging = published.endpoint("staging")

    answer = published.client.delete(staging["management_url"], headers=published.headers("staging"))

    assert answer.status_code == 204
    gone = published.client.post(f"{staging['api_location']}/execute", headers=published.headers("staging"), json=ROW)
    assert gone.status_code == 404
    assert scored(published, "live")


def test_the_default_endpoint_is_deleted_last(published: Published) -> None:
    default = published.endpoint("default")

    early = published.client.delete(default["management_url"], headers=bearer(TOKEN))
    for name in ("live", "staging"):
        published.client.delete(published.endpoint(name)["management_url"], headers=bearer(TOKEN))
    late = published.client.delete(default["management_url"], headers=bearer(TOKEN))

    assert error_of(early) == (403, "Forbidden", "PreventUpdate")
    assert late.status_code == 204


def test_a_deleted_web_service_is_gone_with_its_endpoints(published: Published) -> None:
    answer = published.client.delete(service_url(published), headers=bearer(TOKEN))

    assert answer.status_code == 204
    assert published.client.get(service_url(published), headers=bearer(TOKEN)).status_code == 404


@pytest.mark.parametrize("key", ["", "wrong", "of the live endpoint"])
@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/endpoints"),
        ("PUT", "/endpoints/retrain"),
        ("GET", "/endpoints/staging"),
        ("PATCH", "/endpoints/staging"),
        ("DELETE", "/endpoints/staging"),
        ("GET", "/endpoints/absent"),
    ],
)
def test_an_endpoints_key_opens_that_endpoint_alone(published: Published, key: str, method: str, suffix: str) -> None:
    key = published.endpoint("live")["primary_key"] if key == "of the live endpoint" else key
    headers = bearer(key) if key else {}

    answer = published.client.request(method, service_url(published) + suffix, headers=headers)

    assert error_of(answer) == (401, "Unauthorized", "ManagementRequestUnauthorized")


def test_the_workspace_token_opens_every_endpoint(published: Published, model: Model, challenger: bytes) -> None:
    answer = patch(published, update(model.stored(challenger)), headers=bearer(TOKEN))

    assert answer.status_code == 204


@pytest.mark.parametrize("suffix", ["/webservices", f"/webservices/{'0' * 32}", f"/webservices/{'0' * 32}/endpoints"])
def test_another_workspace_or_service_is_not_found(published: Published, suffix: str) -> None:
    answer = published.client.get(f"/workspaces/{'0' * 32}{suffix}", headers=bearer(TOKEN))

    assert answer.status_code == 404
    assert answer.json()["error"]["details"]
