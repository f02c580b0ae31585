"""The studio service's settings in Bicep: they are all that it needs, it reads each of them, and the page has them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import pytest

from infra.checks.template import Resource, read_template
from shared.errors import ConfigError
from studio.settings import Settings
from studio.web.health import LIVE, READY
from tests.infra.evaluation import Evaluation
from tests.infra.places import INFRA, ROOT


def valued(name: str) -> str:
    """The value that Bicep gives a setting in so many words."""
    found = re.search(rf"name: '{name}', value: '([^'$]+)'", (INFRA / "modules" / "studio.bicep").read_text())
    assert found
    return found[1]


VALUES: Mapping[str, str] = {
    "STUDIO_STORAGE": (
        "BlobEndpoint=https://a.blob.example/;QueueEndpoint=https://a.queue.example/;"
        "TableEndpoint=https://a.table.example/"
    ),
    "STUDIO_URL": "https://studio.example",
    "STUDIO_SECRET": "A" * 43 + "=",
    "STUDIO_WORKSPACE_TOKEN": "t" * 64,
    "STUDIO_BLOB_HOSTS": "a.blob.example",
    "STUDIO_LOG_JSON": "1",
    "STUDIO_TRUSTED_PROXIES": valued("STUDIO_TRUSTED_PROXIES"),
}


def named() -> set[str]:
    return set(re.findall(r"name: '(STUDIO_\w+)'", (INFRA / "modules" / "studio.bicep").read_text()))


def test_the_service_starts_with_what_bicep_sets_and_nothing_else() -> None:
    settings = Settings.from_env({name: VALUES[name] for name in named()})

    assert settings.url == "https://studio.example"
    assert settings.operation.log_json
    assert "a.blob.example" in settings.blob_hosts
    assert "100.64.0.0/10" in settings.trusted_proxies


@pytest.mark.parametrize("name", ["STUDIO_STORAGE", "STUDIO_URL", "STUDIO_SECRET"])
def test_none_of_those_that_it_needs_could_be_left_out(name: str) -> None:
    assert name in named()
    with pytest.raises(ConfigError, match=name):
        Settings.from_env({other: value for other, value in VALUES.items() if other != name})


def test_each_is_on_the_page_of_settings() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()

    assert {name for name in named() if f"`{name}`" not in page} == set()


def test_traffic_and_probes_go_where_the_image_listens_and_answers() -> None:
    studio = read_template(INFRA / "modules" / "studio.bicep")
    app = next(
        each for each in studio.resources if each.type == "Microsoft.App/containerApps" and "ingress" in said(each)
    )
    (body,) = Evaluation(studio, isScoringOurs=True).bodies(app)
    (container,) = body["properties"]["template"]["containers"]
    probes = {probe["type"]: probe["httpGet"] for probe in container["probes"]}
    image = (ROOT / "studio" / "Dockerfile").read_text()
    command = json.loads(re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)[-1])
    port = int(command[command.index("--port") + 1])

    assert f"\nEXPOSE {port}\n" in image
    assert body["properties"]["configuration"]["ingress"]["targetPort"] == port
    assert probes == {"Liveness": {"path": LIVE, "port": port}, "Readiness": {"path": READY, "port": port}}
    assert f"http://127.0.0.1:{port}{READY}" in image


def said(resource: Resource) -> str:
    return (resource.node.text or b"").decode()
