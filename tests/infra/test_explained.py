"""What can be set is explained: each value of host.json, each parameter of the Bicep files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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
