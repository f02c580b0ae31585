"""What must agree across the project: layers, settings, documents."""

from __future__ import annotations

import ast
import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.storage_layout import CONTAINERS, TABLES
from shared.domain.data.dataset import DatasetState
from shared.domain.lifecycle.runs import RunState

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
README = (ROOT / "README.md").read_text()
SAMPLE = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


# Folder → what nothing in it may import.
FORBIDDEN = {
    "shared": ("studio", "local", "examples", "function_app"),
    "shared/domain": (
        "shared.adapters", "shared.api", "shared.composition", "shared.declarations", "shared.retraining",
        "azure", "requests", "os",
    ),
    "shared/wire": ("shared.adapters", "shared.domain", "shared.retraining", "azure", "requests"),
    "shared/adapters": ("shared.retraining", "shared.composition", "shared.api", "shared.declarations"),
    "shared/declarations": ("shared.adapters", "shared.retraining", "shared.composition", "shared.api", "azure"),
    "shared/retraining": ("shared.api", "shared.composition", "shared.declarations"),
    "shared/api": ("shared.adapters", "shared.retraining", "shared.domain", "azure.storage", "azure.data"),
    "studio": ("local", "function_app", "shared.adapters", "shared.domain", "shared.retraining", "shared.composition"),
    "local": ("function_app", "studio"),
    "relearn": ("function_app", "shared", "studio", "local", "azure"),
}  # fmt: skip


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_imports_point_one_way(folder: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in imports(path)
        if any(name == banned or name.startswith(f"{banned}.") for banned in FORBIDDEN[folder])
    ]

    assert wrong == []


def test_the_triggers_import_the_composition_and_nothing_of_other_programs() -> None:
    own = {
        name for name in imports(ROOT / "function_app.py") if name.partition(".")[0] in ("shared", "studio", "local")
    }

    assert own == {"shared.api", "shared.composition", "shared.adapters.storage_layout"}


@pytest.mark.parametrize("folder", ["studio", "local", "relearn", "tests", "docs", "examples", ".venv", ".local"])
def test_the_package_holds_the_function_app_alone(folder: str) -> None:
    ignored = (ROOT / ".funcignore").read_text().split()

    assert any(fnmatch.fnmatch(folder, pattern) for pattern in ignored)


def test_every_state_is_explained() -> None:
    for state in [*RunState, *DatasetState]:
        assert state.value in ARCHITECTURE, state


def test_every_table_and_container_is_explained() -> None:
    for name in (*TABLES, *CONTAINERS):
        assert f"`{name}`" in ARCHITECTURE, name


def test_the_settings_are_the_same_in_sample_readme_and_models() -> None:
    referred = set(re.findall(r"%([A-Z_]+)%", (ROOT / "models.toml").read_text())) - {"NAME"}
    timers = set(re.findall(r"%([A-Z_]+)%", (ROOT / "function_app.py").read_text()))
    own = {"DATA_STORAGE", "MODELS_FILE", "TRAINING_DATA_SOURCE", "TELEMETRY", "APP_URL", "APPROVAL_SECRET"}
    needed = referred | timers | own | {"AzureWebJobsStorage"}

    assert set(SAMPLE) - {"FUNCTIONS_WORKER_RUNTIME"} == needed
    for name in needed:
        assert f"`{name}`" in README, name


def test_no_lock_file_holds_a_download_address() -> None:
    locks = [path for path in ROOT.glob("local/**/package-lock.json") if "node_modules" not in path.parts]

    assert locks
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        assert not [name for name, package in packages.items() if "resolved" in package]
        assert all("integrity" in package for name, package in packages.items() if name)


def test_every_requirement_is_pinned_exactly() -> None:
    pinned = {
        line.partition("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line
    }
    for file in ROOT.glob("**/requirements.txt"):
        if ".venv" in file.parts or ".local" in file.parts:
            continue
        for line in file.read_text().splitlines():
            name = re.match(r"[A-Za-z0-9][A-Za-z0-9_-]*", line)
            if name and "==" not in line:
                assert name[0].lower() in pinned, f"{file}: {name[0]}"
