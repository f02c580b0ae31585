"""
Pythons of a version on this machine: named by a setting, on the PATH, or kept by pyenv or uv.

A version manager's stand-in on the PATH may run nothing, so every candidate is asked for its version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ASKED = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"


def pythons(*versions: str) -> Iterator[str]:
    """
    Yield programs that run and are of a version, those of the first version first.

    Args:
        versions: As `3.12`. The environment variable `PYTHON312` names a program that comes before all others.
    """
    for version in versions:
        seen: set[str] = set()
        for candidate in _candidates(version):
            program = _program(candidate, version)
            if program and program not in seen:
                seen.add(program)
                yield program


def what_to_do(version: str) -> str:
    """Say how a Python that is missing is had, or named."""
    return (
        f"no Python {version} that runs was found: install one (`uv python install {version}`, "
        f"`pyenv install {version}`), or name it: {_setting(version)}=/path/to/python{version}"
    )


def _candidates(version: str) -> Iterator[str]:
    yield os.environ.get(_setting(version), "")
    yield sys.executable
    yield shutil.which(f"python{version}") or ""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path) for path in sorted(kept.glob(f"{version}*/bin/python"), reverse=True))
    if uv := shutil.which("uv"):
        yield _said([uv, "python", "find", "--no-python-downloads", version])


def _program(candidate: str, version: str) -> str:
    """Return the program behind a candidate; empty when it does not run or is of another version."""
    found, _, program = _said([candidate, "-c", _ASKED]).partition("\n") if candidate else ("", "", "")
    return program if found == version else ""


def _said(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _setting(version: str) -> str:
    return f"PYTHON{version.replace('.', '')}"
