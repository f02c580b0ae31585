"""Which code runs: what a setting says, else the commit of this checkout, else what the build wrote."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

BAKED = Path(__file__).with_name("VERSION")  # written by `make package` and by azd (infra/hooks/version.py)
UNKNOWN = "unknown"

_ROOT = BAKED.parent.parent
_DEADLINE_S = 5


@cache
def code_version() -> str:
    """
    Return the setting RELEARN_VERSION, the commit (`-dirty` where files differ), what was baked in, or `unknown`.

    A checkout's commit goes before the file that a build has left in it, which may be of an earlier commit.
    """
    return os.environ.get("RELEARN_VERSION") or commit(_ROOT) or _baked() or UNKNOWN


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
