"""The `az` command, and the names that the deployment left in the environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]


class CommandFailed(Exception):
    """`az` ended with an error; the text is what it said, without the arguments."""


def az(arguments: Sequence[str]) -> str:
    """
    Run `az` and return what it printed.

    Raises:
        CommandFailed: It is not installed, or ended with an error.
    """
    program = shutil.which("az")
    if program is None:
        raise CommandFailed("the Azure CLI 'az' is not on the PATH: install it, then sign in with 'az login'")
    done = subprocess.run([program, *arguments, "--only-show-errors"], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CommandFailed(done.stderr.strip() or f"'az {arguments[0]}' ended with {done.returncode}")
    return done.stdout


def deployed(*names: str) -> list[str]:
    """Return outputs of infra/main.bicep, which azd puts into a hook's environment, or end the program."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        sys.exit(f"not set: {', '.join(missing)}; run `azd provision`, or `azd env get-values` to see what is known")
    return [os.environ[name] for name in names]
