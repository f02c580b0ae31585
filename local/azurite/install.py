"""Installs the pinned Azurite once into a folder named by its lock file; a half-finished install is redone."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.azurite.errors import AzuriteError
from local.azurite.node import Node

_HERE = Path(__file__).resolve().parent
_LOCK_FILE = "package-lock.json"
_ENTRY = Path("node_modules", "azurite", "dist", "src", "azurite.js")
_TIMEOUT_S = 900.0

INSTALL_ROOT = _HERE.parents[1] / ".local"


def install(node: Node, root: Path = INSTALL_ROOT) -> Path:
    """
    Return Azurite's program file, after installing it if this lock file has not been installed yet.

    Safe to call from several processes at once: one installs, the others wait.

    Raises:
        AzuriteError: npm failed; the message holds npm's own first complaint.
    """
    target = root / f"azurite-{_digest()}"
    root.mkdir(parents=True, exist_ok=True)
    with _exclusive(root / "azurite.lock"):
        if not target.exists():
            _install_into(target, node)
    return target / _ENTRY


def _digest() -> str:
    return hashlib.sha256((_HERE / _LOCK_FILE).read_bytes()).hexdigest()[:12]


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install_into(target: Path, node: Node) -> None:
    """Install beside the target and rename at the end, so that the target's existence means that it is whole."""
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name in ("package.json", _LOCK_FILE):
        shutil.copy(_HERE / name, partial / name)
    _run_npm(node, partial)
    partial.rename(target)


def _run_npm(node: Node, directory: Path) -> None:
    command = [*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        answer = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AzuriteError(f"npm could not install Azurite: {error}.") from error
    if answer.returncode != 0:
        raise AzuriteError(
            f"npm could not install Azurite ({_complaint(answer.stderr)}); check the network and try again."
        )


def _complaint(output: str) -> str:
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines() if line.startswith("npm error")]
    return "; ".join(line for line in lines[:3] if line) or "no reason given"
