"""The command line as a person types it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from local.places import ROOT

_LIMIT_S = 240


@pytest.fixture(scope="session")
def local() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `python -m local ARGUMENT…` to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "local", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_LIMIT_S)  # noqa: S603

    return run
