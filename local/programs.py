"""How each program of the environment is started: command line and environment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path

from local.errors import LocalError
from local.part import Part
from local.places import ROOT
from local.state import Keys, StateFolder
from shared.secret import Secret

_BLOB_SCAN_S = 1
# What a shell may hold and our programs must not see.
_FOREIGN = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH")


class HostKind(Enum):
    """Which functions host runs the function app."""

    LOCAL = "local"
    FUNC = "func"


def surroundings(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without what is not ours, and with `extra`."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN} | dict(extra)


def studio_settings(storage: Secret, url: str, keys: Keys) -> dict[str, str]:
    """Return the studio service's settings; the values hold secrets."""
    return {
        "STUDIO_STORAGE": storage.reveal(),
        "STUDIO_URL": url,
        "STUDIO_SECRET": keys.studio_secret,
        "STUDIO_WORKSPACE": keys.workspace,
        "STUDIO_WORKSPACE_TOKEN": keys.workspace_token,
    }


def studio_part(state: StateFolder, settings: Mapping[str, str], port: int) -> Part:
    """Return the studio service with one training worker."""
    command = _python("studio", "serve", "--port", str(port), "--workers", "1")
    return Part("the studio service", command, surroundings(settings), ROOT, state.logs / "studio.log")


def host_command(kind: HostKind, port: int, app: Path = ROOT) -> list[str]:
    """
    Return the command line of a functions host.

    Raises:
        LocalError: Core Tools are asked for and not installed.
    """
    if kind is HostKind.LOCAL:
        options = ("--app", str(app), "--port", str(port), "--blob-scan-interval", str(_BLOB_SCAN_S))
        return _python("local.host", *options)
    program = shutil.which("func")
    if program is None:
        raise LocalError(
            "HOST=func needs Azure Functions Core Tools 4 and no `func` is on the PATH: install them "
            "(npm install -g azure-functions-core-tools@4), or leave HOST out to use the host that comes with Relearn"
        )
    return [program, "start", "--python", "--port", str(port)]


def host_part(state: StateFolder, command: Sequence[str], settings: Mapping[str, str], keys: Keys) -> Part:
    """Return the functions host over the function app; `settings` are the app's."""
    own_keys = {"LOCAL_HOST_MASTER_KEY": keys.master_key, "LOCAL_HOST_FUNCTION_KEY": keys.function_key}
    # Core Tools run the Python that they find first.
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    environment = surroundings({**settings, **own_keys, "PATH": path, "VIRTUAL_ENV": sys.prefix})
    return Part("the functions host", command, environment, ROOT, state.logs / "functions.log")


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local.lifeline", module, *arguments]
