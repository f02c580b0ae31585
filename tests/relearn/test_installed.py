"""The command line as it is installed: what pyproject.toml names, alone, with the dependencies that it declares."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MODULE, _, FUNCTION = PROJECT["project"]["scripts"]["relearn"].partition(":")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with the packages that an installation has, and nothing else of the project."""
    for name in PROJECT["tool"]["setuptools"]["packages"]:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def _run(installed: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(installed)!r}); {program}"
    command = [sys.executable, "-I", "-c", start, *arguments]  # -I: neither this folder nor the environment's
    return subprocess.run(command, cwd=installed, capture_output=True, text=True, check=False)  # noqa: S603


def test_the_script_starts_and_lists_its_commands(installed: Path) -> None:
    done = _run(
        installed, f"sys.argv[0] = 'relearn'; from {MODULE} import {FUNCTION}; sys.exit({FUNCTION}())", "--help"
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: relearn [-h] COMMAND")
    for command in ("runs", "models", "datasets", "decisions", "explain", "retrain", "approve", "reject", "rollback"):
        assert re.search(rf"^ +{command}\b", done.stdout, re.MULTILINE)


def test_an_unknown_command_is_said_to_be_one(installed: Path) -> None:
    done = _run(installed, f"from {MODULE} import {FUNCTION}; sys.exit({FUNCTION}())", "promote-everything")

    assert done.returncode == 2
    assert "promote-everything" in done.stderr


def test_it_needs_what_it_declares_and_no_more(installed: Path) -> None:
    listing = (
        "import importlib, json, pkgutil, relearn; before = set(sys.modules); "
        "[importlib.import_module(f'relearn.{found.name}') for found in pkgutil.iter_modules(relearn.__path__)]; "
        "files = [name for name in set(sys.modules) - before if getattr(sys.modules[name], '__file__', None)]; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in files})))"
    )
    done = _run(installed, listing)
    assert done.returncode == 0, done.stderr

    foreign = set(json.loads(done.stdout)) - sys.stdlib_module_names - {"relearn"}

    declared = {re.split(r"[<>=]", dependency)[0] for dependency in PROJECT["project"]["dependencies"]}
    assert declared == {"requests"}
    assert {name for name in foreign if not name.startswith("_")} <= declared | _needed_by("requests")


def _needed_by(name: str) -> set[str]:
    """The packages that come with a dependency, as it declares them."""
    from importlib.metadata import requires

    return {re.split(r"[<>=!~\[; ]", found)[0].replace("-", "_") for found in requires(name) or ()} - {name}
