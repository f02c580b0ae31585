"""Publishes an example model on the studio service, once for each state folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import requests

from local.errors import LocalError
from local.examples import CENSUS, Example
from local.places import ROOT
from local.programs import surroundings
from local.publication import Publication
from local.state import StateFolder

_ENDPOINTS = ("live", "staging")
_SILENCE_S = 120.0  # for the training itself; who waits for a place to train says so every half minute
_ANSWER_S = 10.0
_LOOK_S = 0.05
_WAITING = "python -m studio: waiting "


def published_before(state: StateFolder, model: str, url: str) -> Publication | None:
    """
    Return what an earlier environment published in this folder, if the service still has it.

    Args:
        url: Where the studio service listens now; the port may have changed since.
    """
    kept = state.read(_kept(model))
    if not kept:
        return None
    publication = Publication.parse(json.dumps(kept["publication"]).replace(kept["url"], url))
    live = publication.endpoints["live"]
    headers = {"Authorization": f"Bearer {live.key.reveal()}"}
    answer = requests.get(live.management_url, headers=headers, timeout=_ANSWER_S)
    return publication if answer.status_code == requests.codes.ok else None


def publish(
    state: StateFolder, settings: Mapping[str, str], example: Example, say: Callable[[str], object]
) -> Publication:
    """
    Train the first model and make its web services and endpoints.

    Args:
        settings: The studio service's settings.
        say: Told while all places to train on this machine are taken.

    Raises:
        LocalError: Publishing failed; the text ends with what the program said.
    """
    options = [part for name in _ENDPOINTS for part in ("--endpoint", name)]
    command = [sys.executable, "-m", "studio", "publish", str(example.experiment), "--data", str(example.early)]
    command += [*options, "--json"]
    log = state.logs / "publish.log"
    try:
        printed = _printed(command, surroundings(settings), log, say)
        publication = Publication.parse(printed.decode())
    except subprocess.SubprocessError as error:
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        # The command line names files and no secret.
        raise LocalError(f"{example.title} could not be published: {error}\n    {said or 'it said nothing'}") from error
    except (ValueError, KeyError) as error:
        raise LocalError(f"`studio publish --json` printed something else than it should: {error!r}") from error
    state.write(_kept(example.model), {"url": settings["STUDIO_URL"], "publication": json.loads(printed)})
    return publication


def _printed(command: Sequence[str], environment: Mapping[str, str], log: Path, say: Callable[[str], object]) -> bytes:
    """
    Run a command and return what it prints; what it says beside goes to the log.

    Raises:
        SubprocessError: It failed, or did not end and said nothing for too long.
    """
    with tempfile.TemporaryFile() as printed, log.open("ab") as errors, log.open("rb") as said:
        said.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=errors
        )
        try:
            _wait(process, said, say)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        printed.seek(0)
        return printed.read()


def _wait(process: subprocess.Popen[bytes], said: IO[bytes], say: Callable[[str], object]) -> None:
    until = time.monotonic() + _SILENCE_S
    while process.poll() is None:
        while line := said.readline().decode(errors="replace"):
            until = time.monotonic() + _SILENCE_S
            if line.startswith(_WAITING):
                say(f"  {line.removeprefix('python -m studio: ').rstrip()}")
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, _SILENCE_S)
        time.sleep(_LOOK_S)


def _kept(model: str) -> str:
    return "publication.json" if model == CENSUS else f"publication-{model}.json"
