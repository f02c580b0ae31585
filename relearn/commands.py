"""The commands: each asks the function app one thing and says how the answer is shown."""

from __future__ import annotations

import argparse
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from relearn import shown
from relearn.client import Client
from relearn.errors import DONE, NO, WrongUsage

_T = TypeVar("_T")
_BARE_WORD = re.compile(r"^([^=]+)=\s*(?!(?:true|false|inf|nan)\s*$)([A-Za-z][\w-]*)\s*$")


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
    found = (run for run in _listed(client, "runs", options) if not (options.open and run["is_final"]))
    return Answer({"runs": list(_some(found, options))}, shown.runs)


def datasets(client: Client, options: argparse.Namespace) -> Answer:
    """List training files and what became of them."""
    found = (file for file in _listed(client, "datasets", options) if options.state in (None, file["state"]))
    return Answer({"datasets": list(_some(found, options))}, shown.datasets)


def _some(found: Iterable[_T], options: argparse.Namespace) -> Iterable[_T]:
    return found if options.all else islice(found, options.limit)


def _listed(client: Client, what: str, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a listing page by page, newest first."""
    after: str | None = None
    while True:
        page = client.get(what, model=options.model, after=after)
        yield from page[what]
        after = page.get("next")
        if not after:
            return


def explain(client: Client, options: argparse.Namespace) -> Answer:
    """Say in sentences why a file did or did not start a run."""
    return Answer(client.get("datasets", "explain", *options.file.split("/"), model=options.model), shown.explanation)


def models(client: Client, options: argparse.Namespace) -> Answer:
    """List models with what serves, or show one."""
    if options.name:
        return Answer(client.get("models", options.name), shown.model)
    return Answer(client.get("models"), shown.models)


def decisions(client: Client, options: argparse.Namespace) -> Answer:
    """List what was decided, newest first; `--csv` exports all of it, oldest first."""
    if options.csv:
        return Answer(client.text("decisions", model=options.model, format="csv"), shown.text)
    found = client.get("decisions", model=options.model)["decisions"]
    return Answer({"decisions": list(_some(found[::-1], options))}, shown.decisions)


def verify(client: Client, options: argparse.Namespace) -> Answer:
    """Check that no decision was changed, removed or put in between; exit code 1 if one was."""
    found = client.get("decisions", "verify", model=options.model)
    return Answer(found, shown.chains, DONE if found["whole"] else NO)


def serving(client: Client, options: argparse.Namespace) -> Answer:
    """Say what serves, or served at an instant: since when, from which files, why, by whose leave."""
    return Answer(client.get("models", options.name, "serving", at=options.at), shown.serving)


def report(client: Client, options: argparse.Namespace) -> Answer:
    """Print the report of a run as Markdown, JSON or HTML."""
    form = "json" if options.json else options.format
    if form == "json":
        return Answer(client.get("runs", options.id, "report", format=form), shown.document)
    return Answer(client.text("runs", options.id, "report", format=form), shown.text)


def gate(client: Client, options: argparse.Namespace) -> Answer:
    """Judge a model's last runs again, under its rule of today or a changed one; exit code 1 if a verdict flips."""
    changes = _changes(options.set)
    limit = str(options.limit)
    path = ("models", options.model, "replay")
    found = client.post(*path, body=changes, limit=limit) if changes else client.get(*path, limit=limit)
    return Answer(found, shown.replayed, NO if found["flips"] else DONE)


def _changes(assignments: list[str]) -> dict[str, Any]:
    """Read `margin=0.02`, `floors.AUC=0.8` and the like, as models.toml has them; a word needs no quotes."""
    try:
        changes = tomllib.loads("\n".join(_BARE_WORD.sub(r'\1="\2"', assignment) for assignment in assignments))
    except tomllib.TOMLDecodeError as unreadable:
        raise WrongUsage(
            f"--set takes KEY=VALUE as models.toml has them, for example margin=0.02: {unreadable}"
        ) from None
    try:
        json.dumps(changes, allow_nan=False, default=str)
    except ValueError:
        raise WrongUsage(f"--set takes finite numbers, not nan or inf: {' '.join(assignments)}") from None
    return changes


def doctor(client: Client, options: argparse.Namespace) -> Answer:
    """Check the configuration against the real services; exit code 1 if something is wrong."""
    found = client.get("doctor")
    return Answer(found, shown.diagnoses, NO if found["problems"] else DONE)
