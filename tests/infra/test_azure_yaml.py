"""azure.yaml fits its schema, and names what is there."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from typing import Any

import jsonschema_rs
import yaml

from tests.infra.places import INFRA, ROOT, shared

AZURE: dict[str, Any] = yaml.safe_load((ROOT / "azure.yaml").read_text())


def schema() -> Any:
    """The schema without the parts of other services that are kept elsewhere on the web."""
    return _local(json.loads((shared("schemas") / "azure.yaml.json").read_text()))


def _local(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _local(value) for key, value in part.items() if key != "$ref" or not str(value).startswith("http")}
    return [_local(each) for each in part] if isinstance(part, list) else part


def test_it_fits_its_schema() -> None:
    problems = [error.message for error in jsonschema_rs.validator_for(schema()).iter_errors(AZURE)]

    assert problems == []


def test_the_schema_sees_a_misspelt_hook() -> None:
    wrong = json.loads(json.dumps(AZURE))
    wrong["services"]["functions"]["hooks"]["postdeployed"] = wrong["services"]["functions"]["hooks"].pop("postdeploy")

    assert not jsonschema_rs.validator_for(schema()).is_valid(wrong)


def test_what_it_names_is_there() -> None:
    services = AZURE["services"]
    main = (INFRA / "main.bicep").read_text() + "".join(
        path.read_text() for path in (INFRA / "modules").glob("*.bicep")
    )

    assert (INFRA / f"{AZURE['infra']['module']}.bicep").is_file()
    for name in services:
        assert f"'azd-service-name': '{name}'" in main
    hooks = [hook for service in services.values() for each in service["hooks"].values() for hook in each.values()]
    for hook in hooks:
        module = hook["run"].rpartition(" ")[2]
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file()


def test_every_service_is_packed_with_its_commit() -> None:
    """`azd deploy scoring` runs that service's hooks alone."""
    for service in AZURE["services"].values():
        assert service["hooks"]["prepackage"]["posix"]["run"] == "python3 -m infra.hooks.version"
    for image in ("scoring", "training"):
        assert "COPY shared/version.py shared/VERSIO[N] shared/" in stages(image)["base"]
        assert "ARG VERSION=\n" in stages(image)["base"]  # empty, or the setting would hide the file


def stages(service: str) -> dict[str, str]:
    """Name of each stage in a service's Dockerfile → its lines."""
    text = (ROOT / AZURE["services"][service]["docker"]["path"]).read_text()
    return dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)\n*(?=^FROM |\Z)", text, re.M | re.S))


def test_each_service_gets_the_image_that_its_dockerfile_ends_with() -> None:
    """azd's remote build passes no target and, up to 1.24.2, drops buildArgs without a word (azure-dev #7990)."""
    for service, program in (("scoring", '["serve"'), ("training", '["work"')):
        assert set(AZURE["services"][service]["docker"]) == {"path", "context", "remoteBuild"}
        assert list(stages(service))[-1] == service
        assert f"CMD {program}" in stages(service)[service]


def test_the_build_context_holds_what_the_images_copy_and_no_secret() -> None:
    """azd uploads it to the registry; a pattern without `**/` speaks of the root alone."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    ignored = [line for line in lines if line and not line.startswith(("#", "**/"))]
    copied = {
        source.partition("/")[0]
        for service in ("scoring", "training")
        for text in stages(service).values()
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M)
        for source in line.split()
    }

    def is_ignored(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in ignored)

    assert copied == {"constraints.txt", "shared", "studio"}
    assert [name for name in sorted(copied) if is_ignored(name)] == []
    assert all(map(is_ignored, (".azure", ".git", ".local", ".venv", "local.settings.json")))


def test_both_images_are_made_of_the_same_base() -> None:
    assert stages("scoring")["base"] == stages("training")["base"]
    assert "COPY studio studio" in stages("training")["base"]


def test_a_tag_deploys_with_all_that_an_environment_may_set() -> None:
    """A runner has no azd environment: what the workflow does not pass would go back to its default."""
    asked = set(re.findall(r"\$\{(\w+)", (INFRA / "main.parameters.json").read_text()))
    found_by_azd = {"AZURE_PRINCIPAL_ID", "SERVICE_SCORING_RESOURCE_EXISTS", "SERVICE_TRAINING_RESOURCE_EXISTS"}
    deploy = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())["jobs"]["deploy"]
    documented = (ROOT / "docs" / "azure.md").read_text().split("### Deploy from GitHub")[1].split("\n## ")[0]
    variables = set(re.findall(r"\bvars\.(\w+)", json.dumps(deploy)))

    assert asked - found_by_azd <= set(deploy["env"])
    assert [name for name in sorted(variables) if f"`{name}`" not in documented] == []


def test_provisioning_keeps_the_images_that_run() -> None:
    parameters = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    studio = (INFRA / "modules" / "studio.bicep").read_text()

    for service in ("scoring", "training"):
        assert parameters[f"{service}Exists"]["value"] == f"${{SERVICE_{service.upper()}_RESOURCE_EXISTS=false}}"
        assert f"params: {{ name: {service}Name, exists: {service}Exists }}" in studio
        assert f"{service}Image.outputs.image" in studio


def test_every_parameter_file_value_is_a_parameter() -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    main = (INFRA / "main.bicep").read_text()

    assert [name for name in given if f"\nparam {name} " not in main] == []
