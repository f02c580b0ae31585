"""Which code runs: what the build or a setting says, else the commit of this checkout."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

BAKED = Path(__file__).with_name("VERSION")  # written by `make package`
UNKNOWN = "unknown"

_ROOT = BAKED.parent.parent
_DEADLINE_S = 5


@cache
def code_version() -> str:
    """Return the setting RELEARN_VERSION, what was baked in, the commit (`-dirty` where files differ), or `unknown`."""
    return os.environ.get("RELEARN_VERSION") or _baked() or commit(_ROOT) or UNKNOWN


def commit(root: Path) -> str:
    """Return the commit of a checkout; empty where there is none, or no git to ask."""
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _baked() -> str:
    try:
        return BAKED.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
