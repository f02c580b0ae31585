"""Each identity reads the secrets that its programs refer to: none is out of reach, and no other opens to it."""

from __future__ import annotations

import re

import pytest

from infra.checks.template import Resource, Template, literal, read_template, walk
from tests.infra.evaluation import Evaluation
from tests.infra.places import INFRA

MODULES = INFRA / "modules"
READS_SECRETS = "4633458b-17de-408a-b874-0445c86b69e6"  # Key Vault Secrets User
SETTINGS = ["CENSUS_JOBS_URL", "CENSUS_JOBS_KEY", "RENTALS_NOTIFY_SECRET"]


def referred_to_by_the_app(*, is_set: bool) -> set[str]:
    """The secrets that app settings of the function app name."""
    functions = read_template(MODULES / "functions.bicep")
    app = next(each for each in functions.resources if each.type == "Microsoft.Web/sites" and not each.is_existing)
    evaluation = Evaluation(functions, modelSettings=SETTINGS, approvalLinks=is_set, keyedHandover=is_set)
    (body,) = evaluation.bodies(app)
    assert body["properties"]["keyVaultReferenceIdentity"] == "identityId"
    values = [setting["value"] for setting in body["properties"]["siteConfig"]["appSettings"]]
    return {
        found[1] for value in values if (found := re.fullmatch(r"@Microsoft\.KeyVault\(.*SecretName=(.*)\)", value))
    }


def referred_to_by_the_service() -> set[str]:
    """The secrets that the container apps fetch, by the studio's identity."""
    studio = read_template(MODULES / "studio.bicep")
    apps = [each for each in studio.resources if each.type == "Microsoft.App/containerApps"]
    bodies = [body for app in apps for body in Evaluation(studio, vaultUri="https://vault/").bodies(app)]
    fetched = [secret for body in bodies for secret in body["properties"]["configuration"]["secrets"]]
    assert len(bodies) == 2
    assert {secret["identity"] for secret in fetched} == {"identityId"}
    return {secret["keyVaultUrl"].removeprefix("https://vault/secrets/") for secret in fetched}


def readable(principal: str, *, is_set: bool) -> list[str]:
    """The secrets that an identity may read, by its role assignments; `vault` is all of them."""
    roles = read_template(MODULES / "roles.bicep")
    evaluation = Evaluation(roles, modelSettings=SETTINGS, approvalLinks=is_set, keyedHandover=is_set)
    return [
        _secret(roles, evaluation, body["scope"])
        for resource in roles.resources
        if not resource.is_existing and _gives(roles, resource)
        for body in evaluation.bodies(resource)
        if body["properties"]["principalId"] == principal
    ]


def _gives(roles: Template, resource: Resource) -> bool:
    assert READS_SECRETS in {literal(each) for each in walk(roles.variables["role"]) if each.type == "string"}
    return b"role.keyVaultSecretsUser" in (resource.node.text or b"")


def _secret(roles: Template, evaluation: Evaluation, scope: str) -> str:
    symbol, _, index = scope.rstrip("]").partition("[")
    if not index:
        return symbol
    existing = next(each for each in roles.resources if each.symbol == symbol)
    body = list(evaluation.bodies(existing))[int(index)]
    assert (existing.type, body["parent"]) == ("Microsoft.KeyVault/vaults/secrets", "vault")
    return str(body["name"])


@pytest.mark.parametrize("is_set", [False, True])
def test_the_app_reads_the_secrets_that_its_settings_refer_to_and_no_other(*, is_set: bool) -> None:
    referred = referred_to_by_the_app(is_set=is_set)

    assert sorted(readable("functionsPrincipalId", is_set=is_set)) == sorted(referred)
    assert ({"approval-secret", "keyed-handover"} <= referred) is is_set
    assert is_set or not {"approval-secret", "keyed-handover"} & referred
    assert {"census-jobs-url", "census-jobs-key", "rentals-notify-secret"} <= referred


def test_the_service_reads_the_secrets_that_its_containers_refer_to_and_no_other() -> None:
    assert sorted(readable("studioPrincipalId", is_set=True)) == sorted(referred_to_by_the_service())


def test_the_two_have_no_secret_in_common() -> None:
    assert referred_to_by_the_app(is_set=True).isdisjoint(referred_to_by_the_service())


def test_every_secret_that_is_referred_to_is_made_in_the_vault() -> None:
    vault = read_template(MODULES / "vault.bicep")
    made = {
        body["name"]
        for resource in vault.resources
        if resource.type == "Microsoft.KeyVault/vaults/secrets"
        for body in Evaluation(vault, modelSettings=SETTINGS, digits="0").bodies(resource)
    }

    assert made == referred_to_by_the_app(is_set=True) | referred_to_by_the_service()


def test_roles_and_settings_are_made_for_the_same_models() -> None:
    text = (INFRA / "main.bicep").read_text()

    assert [text.count(f"    {name}: {name}\n") for name in ("modelSettings", "approvalLinks", "keyedHandover")] == [
        3,
        2,
        4,
    ]
