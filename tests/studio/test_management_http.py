"""Endpoint management over HTTP: list, show, create, delete, and who may do what."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import httpx
import pytest
from exchanges import DATA, ROW, TOKEN, Published, bearer, error_of, recorded, scored

from shared import wire
from shared.errors import Changed
from studio.bootstrap import Service
from studio.commands.publish import publish
from studio.services.addresses import Addresses
from studio.services.catalog import Kind

RESOURCE = "Income who earns more [trained model]"


def service_url(published: Published) -> str:
    return str(published.endpoint("live")["management_url"].rpartition("/endpoints/")[0])


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

    made = published.client.put(
        f"{service_url(published)}/endpoints/afterwards",
        headers=bearer(TOKEN),
        json=recorded("management_bodies.json")["create"]["body"],
    )
    assert made.status_code == 201

    services = published.client.get(services_url, headers=bearer(TOKEN)).json()
    endpoints = published.client.get(f"{service_url(published)}/endpoints", headers=bearer(TOKEN)).json()

    assert [s["Name"] for s in services] == ["Income: who earns more?", "Income: who earns more? [Predictive Exp.]"]
    assert [e["Name"] for e in endpoints] == ["default", "live", "staging", "afterwards"]
    assert {e["Name"]: e["PreventUpdate"] for e in endpoints} == {
        "default": True,
        "live": False,
        "staging": False,
        "afterwards": False,
    }


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


@pytest.mark.parametrize("suffix", ["/webservices", f"/webservices/{'0' * 32}", f"/webservices/{'0' * 32}/endpoints"])
def test_another_workspace_or_service_is_not_found(published: Published, suffix: str) -> None:
    answer = published.client.get(f"/workspaces/{'0' * 32}{suffix}", headers=bearer(TOKEN))

    assert answer.status_code == 404
    assert answer.json()["error"]["details"]


def test_a_web_service_with_more_endpoints_than_a_transaction_takes_is_published_and_deleted(
    service: Service, client: httpx.Client, early_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = publish(service, DATA / "income.toml", early_file, [f"a{number}" for number in range(120)])
    service.registry.refresh()
    address = Addresses(service.settings.url).management(publication.endpoints[0]).rpartition("/endpoints/")[0]
    before = client.get(f"{address}/endpoints", headers=bearer(TOKEN)).json()
    _fail_after_a_transaction(service, monkeypatch)

    interrupted = client.delete(address, headers=bearer(TOKEN))
    between = {endpoint["Name"] for endpoint in client.get(f"{address}/endpoints", headers=bearer(TOKEN)).json()}
    again = client.delete(address, headers=bearer(TOKEN))

    assert len(before) == 121
    assert error_of(interrupted)[0] == 503
    assert 1 < len(between) < 121
    assert "default" in between
    assert again.status_code == 204
    assert {known.kind for known in service.catalog.read().services.values()} == {Kind.TRAINING}
    assert len(service.catalog.read().endpoints) == 1


def _fail_after_a_transaction(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second of the next two transactions on the catalog find that somebody changed a row."""
    submit, calls = service.storage.catalog.submit_transaction, count()

    def failing(operations: object) -> None:
        if next(calls) == 1:
            raise Changed("somebody changed a row just now")
        submit(operations)  # type: ignore[arg-type]

    monkeypatch.setattr(service.storage.catalog, "submit_transaction", failing)
