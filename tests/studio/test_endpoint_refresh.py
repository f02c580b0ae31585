"""Refresh, PreventUpdate and the refusal of code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from exchanges import DATA, TOKEN, Published, bearer, error_of, people, scored

from studio.commands.publish import publish


def refresh(published: Published, name: str, body: object) -> httpx.Response:
    address = f"{published.endpoint(name)['management_url']}/refresh"
    return published.client.post(address, headers=published.headers(name), json=body)


@pytest.fixture
def republished(published: Published, tmp_path: Path) -> Published:
    """Published once more on other data: `default` follows, the other endpoints stay."""
    publish(published.service, DATA / "income.toml", people(tmp_path / "late.csv", 500, seed=9), [])
    published.service.registry.refresh()
    return published


@pytest.mark.parametrize("text", ["True", "true", True])
def test_a_refresh_takes_the_model_of_the_last_publication(republished: Published, text: object) -> None:
    before = scored(republished, "live")

    answer = refresh(republished, "live", {"OverwriteResources": text})

    assert answer.status_code == 200
    assert answer.json()["Name"] == "live"
    assert scored(republished, "live") == scored(republished, "default") != before
    assert scored(republished, "staging") == before


def test_a_second_refresh_has_nothing_to_change(republished: Published) -> None:
    refresh(republished, "live", {"OverwriteResources": "True"})

    answer = refresh(republished, "live", {"OverwriteResources": "True"})

    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize("body", [{"OverwriteResources": "False"}, {}, None])
def test_a_refresh_that_keeps_resources_keeps_the_model(republished: Published, body: object) -> None:
    before = scored(republished, "live")

    assert refresh(republished, "live", body).status_code == 304

    assert scored(republished, "live") == before


@pytest.mark.parametrize("body", [{"OverwriteResources": "perhaps"}, [], "True"])
def test_a_refresh_that_cannot_be_read_is_refused(published: Published, body: object) -> None:
    assert error_of(refresh(published, "live", body)) == (400, "BadArgument", "BadParameterValue")


def test_the_default_endpoint_cannot_be_refreshed(published: Published) -> None:
    answer = refresh(published, "default", {"OverwriteResources": "True"})

    assert error_of(answer) == (403, "Forbidden", "PreventUpdate")


def put(published: Published, name: str, body: dict[str, Any]) -> httpx.Response:
    services = published.endpoint("live")["management_url"].rpartition("/")[0]
    return published.client.put(f"{services}/{name}", headers=bearer(TOKEN), json=body)


def test_an_endpoint_with_prevent_update_refuses_until_it_is_lifted(published: Published) -> None:
    created = put(published, "frozen", {"PreventUpdate": True}).json()
    address = published.endpoint("live")["management_url"].replace("/live", "/frozen")
    headers = bearer(created["PrimaryKey"])

    refused = published.client.patch(address, headers=headers, json={"Description": "new"})
    put(published, "frozen", {"PreventUpdate": False})
    accepted = published.client.patch(address, headers=headers, json={"Description": "new"})

    assert created["PreventUpdate"] is True
    assert error_of(refused) == (403, "Forbidden", "PreventUpdate")
    assert accepted.status_code == 204


def test_the_default_endpoint_keeps_following_the_experiment(published: Published) -> None:
    assert error_of(put(published, "default", {"PreventUpdate": False})) == (403, "Forbidden", "PreventUpdate")


def test_prevent_update_is_true_or_false(published: Published) -> None:
    assert error_of(put(published, "frozen", {"PreventUpdate": "yes"})) == (400, "BadArgument", "BadParameterValue")


def test_code_is_refused_with_what_to_do_instead(published: Published) -> None:
    workspace = published.json["workspace"]
    body = {"Name": "adder", "Type": "Code", "CodeBundle": {"Language": "python-2.7-64", "SourceCode": "print(1)"}}

    answer = published.client.put(f"/workspaces/{workspace}/webservices/{'0' * 32}", headers=bearer(TOKEN), json=body)

    assert error_of(answer) == (400, "BadArgument", "WebServiceTypeInvalid")
    assert "python -m studio publish" in answer.json()["error"]["details"][0]["message"]
