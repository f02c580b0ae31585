"""What can be set is explained: each value of host.json, each parameter of the Bicep files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.checks.template import read_template
from tests.infra.places import INFRA, ROOT


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Each value of a JSON document with its dotted path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    else:
        yield path, str(value).lower() if isinstance(value, bool) else str(value)


def explained() -> list[tuple[str, str]]:
    """Name and value of each entry in the table of docs/azure.md."""
    section = (ROOT / "docs" / "azure.md").read_text().partition("\n## host.json\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| `")]
    return [(found[1], found[2]) for cell in cells for found in re.finditer(r"`([\w.]+)` (.*?)(?=, `|$)", cell)]


def test_every_value_of_host_json_is_explained_and_no_other() -> None:
    declared = list(leaves(json.loads((ROOT / "host.json").read_text())))
    told = explained()

    def is_of(path: str, value: str, entry: tuple[str, str]) -> bool:
        return path.endswith(f".{entry[0]}") and value == entry[1]

    assert [leaf for leaf in declared if sum(is_of(*leaf, entry) for entry in told) != 1] == []
    assert [entry for entry in told if sum(is_of(*leaf, entry) for leaf in declared) != 1] == []


BICEP = sorted(INFRA.rglob("*.bicep"))


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.stem)
def test_every_parameter_is_described(path: Path) -> None:
    text = path.read_text()
    decorated = re.findall(r"((?:^(?:@| |\)).*\n)*)^param (\w+)", text, re.MULTILINE)

    assert len(decorated) == text.count("\nparam ")
    assert [parameter for above, parameter in decorated if "@description('" not in above] == []


# What stands above a parameter (one decorator a line), its type, and its default where it has one.
_DECLARED = re.compile(r"((?:^@.*\n)+)^param (\w+) (\w+)(?: = (.*))?$", re.MULTILINE)
_DESCRIPTION = re.compile(r"@description\('((?:[^'\\]|\\.)*)'\)")
MODULES = [path for path in BICEP if path.parent.name == "modules"]


def described(path: Path) -> dict[str, tuple[str, str, str, str]]:
    """Each parameter's description, all that stands above it, its type and its default."""
    found = {}
    for above, name, kind, default in _DECLARED.findall(path.read_text()):
        match = _DESCRIPTION.search(above)
        found[name] = (match[1] if match else "", above, kind, default)
    return found


MAIN = described(INFRA / "main.bicep")


def test_every_parameter_is_read_here() -> None:
    assert {path.stem: set(described(path)) for path in BICEP} == {
        path.stem: set(read_template(path).parameters) for path in BICEP
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_a_description_refers_to_is_there(path: Path) -> None:
    own = described(path)
    as_in_main = {name for name, (text, *_) in own.items() if text.startswith("As in main.bicep")}
    like_another = {found[1]: name for name, (text, *_) in own.items() if (found := re.match(r"As `(\w+)`", text))}

    assert as_in_main <= set(MAIN)
    assert set(like_another) <= set(own)
    assert all(own[name][2] == MAIN[name][2] for name in as_in_main)
    assert all(own[name][2:] == own[other][2:] for other, name in like_another.items())


def allowed(name: str) -> set[str]:
    (values,) = re.findall(r"@allowed\(\[(.*)\]\)", MAIN[name][1])
    return set(re.findall(r"'(\w+)'", values))


def test_a_description_names_the_values_that_are_allowed() -> None:
    principal = described(INFRA / "modules" / "roles.bicep")["deployerPrincipalType"][0]
    copies = MAIN["storageRedundancy"][0]

    assert set(re.findall(r"`(\w+)`", principal)) == allowed("principalType")
    assert {f"Standard_{name}" for name in re.findall(r"\b[A-Z]+RS\b", copies)} == allowed("storageRedundancy")


@pytest.mark.parametrize("path", BICEP, ids=lambda path: path.stem)
def test_what_a_description_says_of_a_value_can_be(path: Path) -> None:
    """Of an empty text, of 0, of true and false: the parameter takes it, and a warning is of no default."""
    for text, above, kind, default in described(path).values():
        if re.search(r"\b[Ee]mpty:", text):
            assert kind == "string"
            assert default in ("", "''")
            assert "@minLength" not in above
        if re.search(r"\b0\b", text):
            assert kind == "int"
            assert "@minValue(0)" in above or "@minValue" not in above
        if re.search(r"\b([Tt]rue|False|Whether)\b", text):
            assert kind == "bool"
        if text.startswith("Warning: true"):
            assert default == "false"
