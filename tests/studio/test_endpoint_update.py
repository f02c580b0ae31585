"""The PATCH of an endpoint: another model takes over, or the old one stays and the answer says why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.blob import BlobSasPermissions, ContainerClient, generate_blob_sas
from exchanges import DATA, ROW, TOKEN, Published, bearer, error_of, people, scored, wait_for

from shared import wire
from shared.secret import Secret
from studio.blobs.connection import StorageAccount
from studio.bootstrap import assemble
from studio.engine.experiment import parse_experiment
from studio.engine.training import train
from studio.services.endpoint_change import EndpointChange
from studio.store.artifacts import ArtifactKind

RESOURCE = "Income who earns more [trained model]"


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


def test_a_patch_gives_the_endpoint_another_model_and_leaves_the_others(
    published: Published, model: Model, challenger: bytes
) -> None:
    before = scored(published, "live")

    answer = patch(published, update(model.stored(challenger)))

    assert (answer.status_code, answer.content) == (204, b"")
    assert scored(published, "live") != before
    assert scored(published, "staging") == scored(published, "default") == before


def test_a_past_model_is_put_back_from_where_it_is_kept(
    published: Published, model: Model, challenger: bytes, storage: Secret
) -> None:
    before = scored(published, "live")
    patch(published, update(model.stored(challenger)))
    known = published.service.registry.catalog.endpoint_named(published.publication.predictive.id, "live")
    assert known is not None
    place = f"studio-artifacts/models/{known.past_models[0]}.ilearner"

    answer = patch(published, update({"ConnectionString": storage.reveal(), "RelativeLocation": place}))

    assert answer.status_code == 204, answer.text
    assert scored(published, "live") == before


@pytest.mark.parametrize("damage", ["the model", "every model"])
def test_a_patch_mends_an_endpoint_whose_model_is_lost(
    published: Published, start_again: Callable[[Published], Published], model: Model, challenger: bytes, damage: str
) -> None:
    live = published.service.registry.catalog.endpoint_named(published.publication.predictive.id, "live")
    assert live is not None
    published.service.store.save([replace(live, model="0" * 64)])
    if damage == "every model":
        for kept in list(published.service.artifacts.listed(ArtifactKind.MODEL)):
            if kept.digest == live.model:
                published.service.artifacts.remove(kept)
    restarted = start_again(published)

    lost = restarted.client.post(
        f"{restarted.endpoint('live')['api_location']}/execute", headers=restarted.headers("live"), json=ROW
    )
    answer = patch(restarted, update(model.stored(challenger)))

    assert error_of(lost) == (404, "NotFound", "ModelPackageNotFound")
    assert answer.status_code == 204, answer.text
    assert scored(restarted, "live")


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
        (None, "RequestIsEmpty"),
        ({"Resources": {}}, "RequestBodyInvalid"),
        ({"Resources": [{}]}, "RequestBodyInvalid"),
        ({"Resources": [{"Name": RESOURCE}]}, "RequestBodyInvalid"),
        ({"MaxConcurrentCalls": 0}, "WebServiceConcurrentRequestRequirementInvalid"),
        ({"MaxConcurrentCalls": 201}, "WebServiceTooManyConcurrentRequestRequirement"),
        ({"MaxConcurrentCalls": True}, "WebServiceConcurrentRequestRequirementInvalid"),
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


def test_the_workspace_token_opens_every_endpoint(published: Published, model: Model, challenger: bytes) -> None:
    answer = patch(published, update(model.stored(challenger)), headers=bearer(TOKEN))

    assert answer.status_code == 204
