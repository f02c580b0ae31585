"""All checks of a folder of Bicep files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infra.checks.azure_types import TypeLibrary
from infra.checks.bodies import BodyCheck
from infra.checks.finding import Finding
from infra.checks.names import check_names
from infra.checks.template import read_template


@dataclass(frozen=True)
class Report:
    """What was found, and the resource types that no description covers."""

    n_files: int
    n_resources: int
    findings: tuple[Finding, ...]
    undescribed: frozenset[str]


def check_folder(folder: Path, library: TypeLibrary) -> Report:
    """Check every Bicep file below a folder."""
    findings: list[Finding] = []
    undescribed: set[str] = set()
    paths = sorted(folder.rglob("*.bicep"))
    n_resources = 0
    for path in paths:
        template = read_template(path)
        n_resources += len(template.resources)
        findings += template.problems
        if not template.problems:
            bodies = BodyCheck(template, library)
            findings += [*check_names(template), *bodies.findings()]
            undescribed |= bodies.undescribed()
    return Report(len(paths), n_resources, tuple(findings), frozenset(undescribed))
