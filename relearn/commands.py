"""The commands: each asks the function app one thing and says how the answer is shown."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relearn import shown
from relearn.client import Client
from relearn.errors import DONE


@dataclass(frozen=True)
class Answer:
    """What a command found: a document for programs, how people see it, and the exit code."""

    document: Any
    show: shown.Show
    exit_code: int = DONE


Command = Callable[[Client, argparse.Namespace], Answer]


def runs(client: Client, options: argparse.Namespace) -> Answer:
    """List runs, or show one."""
    if options.id:
        return Answer(client.get("runs", options.id), shown.run)
    found = client.get("runs", model=options.model)["runs"]
    kept = [run for run in found if not (options.open and run["is_final"])]
    return Answer({"runs": kept[: options.limit]}, shown.runs)


def datasets(client: Client, options: argparse.Namespace) -> Answer:
    """List training files and what became of them."""
    found = client.get("datasets", model=options.model)["datasets"]
    kept = [file for file in found if options.state in (None, file["state"])]
    return Answer({"datasets": kept[: options.limit]}, shown.datasets)
