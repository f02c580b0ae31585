"""The workflows: pinned actions, least rights, no secret, and commands that are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.places import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()


def workflow(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_action_is_pinned(path: Path) -> None:
    """By commit, or where that is not known by a full version; never by a tag that is moved."""
    used = [step["uses"] for step in steps(path) if "uses" in step]

    assert used
    assert [action for action in used if not re.search(r"@([0-9a-f]{40}|v\d+\.\d+\.\d+)$", action)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_rights_are_the_least_and_nothing_is_secret(path: Path) -> None:
    content = workflow(path)
    granted = [job["permissions"] for job in content["jobs"].values() if "permissions" in job]

    assert content["permissions"] == {"contents": "read"}
    assert granted in ([], [{"contents": "read", "id-token": "write"}])
    assert "secrets." not in path.read_text()
    assert all(job.get("timeout-minutes") or "uses" in job for job in content["jobs"].values())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_text_of_a_stranger_reaches_a_shell(path: Path) -> None:
    commands = "".join(str(step.get("run", "")) for step in steps(path))

    assert set(re.findall(r"\$\{\{\s*([\w.]+)", commands)) <= {"matrix.file", "matrix.image"}


def test_the_matrix_covers_the_pythons_that_the_project_names() -> None:
    content = workflow(ROOT / ".github" / "workflows" / "ci.yml")

    assert content["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()


def test_the_commands_are_there() -> None:
    commands = "\n".join(str(step.get("run", "")) for path in FILES for step in steps(path))

    for target in re.findall(r"make ([a-z-]+)", commands):
        assert f"\n{target}:" in MAKEFILE
    for module in re.findall(r"python -m (infra[\w.]+)", commands):
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()
    for file in re.findall(r"infra/\S+\.(?:bicep|sh)", commands):
        assert (ROOT / file).is_file()
    assert (ROOT / ".ci" / "run").is_file()
