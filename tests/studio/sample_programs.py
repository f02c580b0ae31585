"""Runs programs of the five languages that the help pages show; what this machine lacks is skipped by name."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

_SUFFIXES = {"C#": "cs", "Python 3": "py", "R": "R", "PowerShell": "ps1", "curl": "sh"}
_MONO = Path("/usr/lib/mono/4.5")
_TOOLS = {"C#": ("mcs", "mono"), "Python 3": (), "R": ("Rscript",), "PowerShell": ("pwsh",), "curl": ("sh", "curl")}


def needs(language: str, packages: Sequence[str] = ()) -> pytest.MarkDecorator:
    """Skip a test where a language's tools, or R packages or .NET assemblies that Mono does not bring, are missing."""
    missing = [tool for tool in _TOOLS[language] if shutil.which(tool) is None]
    if not missing:
        missing = [name for name in packages if not _has(language, name)]
    return pytest.mark.skipif(bool(missing), reason=f"{language} samples need {' and '.join(missing)}")


def in_every_language() -> list[Any]:
    """Return a parameter for each language."""
    packages = {"R": ("httr", "jsonlite"), "C#": ("System.Net.Http",)}
    return [pytest.param(name, marks=needs(name, packages.get(name, ()))) for name in _SUFFIXES]


def ran(language: str, program: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program as its user does: saved to a file, and started by the tool of its language."""
    path = folder / f"Sample.{_SUFFIXES[language]}"
    path.write_text(program, encoding="utf-8")
    return _finished([*_starting(language, path), *arguments])


def output_of(language: str, program: str, folder: Path, *arguments: str) -> str:
    """Run a program that has to succeed, and return what it printed."""
    finished = ran(language, program, folder, *arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def _starting(language: str, path: Path) -> list[str]:
    commands = {
        "Python 3": [sys.executable],
        "R": ["Rscript", "--vanilla"],
        "PowerShell": ["pwsh", "-NoProfile", "-NonInteractive", "-File"],
        "curl": ["sh"],
    }
    return [*commands[language], str(path)] if language in commands else ["mono", str(_compiled(path))]


def _compiled(program: Path) -> Path:
    """Compile C# with every assembly of HTTP that a program may name."""
    target = program.with_suffix(".exe")
    references = ["-r:System.Net.Http.dll"]
    if "System.Net.Http.Formatting" in program.read_text(encoding="utf-8"):
        references.append("-r:System.Net.Http.Formatting.dll")
    finished = _finished(["mcs", *references, f"-out:{target}", str(program)])
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return target


@functools.cache
def _has(language: str, package: str) -> bool:
    if language == "R":
        return _finished(["Rscript", "--vanilla", "-e", f"library({package})"]).returncode == 0
    return (_MONO / f"{package}.dll").exists()


def _finished(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
