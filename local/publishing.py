"""Publishes an example model on the studio service, once for each state folder."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping

import requests

from local.errors import LocalError
from local.examples import CENSUS, Example
from local.places import ROOT
from local.programs import surroundings
from local.publication import Publication
from local.state import StateFolder

_ENDPOINTS = ("live", "staging")
_PUBLISH_S = 120.0
_ANSWER_S = 10.0


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


def publish(state: StateFolder, settings: Mapping[str, str], example: Example) -> Publication:
    """
    Train the first model and make its web services and endpoints.

    Args:
        settings: The studio service's settings.

    Raises:
        LocalError: Publishing failed; the text ends with what the program said.
    """
    options = [part for name in _ENDPOINTS for part in ("--endpoint", name)]
    command = [sys.executable, "-m", "studio", "publish", str(example.experiment), "--data", str(example.early)]
    command += [*options, "--json"]
    log = state.logs / "publish.log"
    try:
        with log.open("ab") as errors:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=surroundings(settings),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                timeout=_PUBLISH_S,
                check=True,
            )
        publication = Publication.parse(done.stdout.decode())
    except subprocess.SubprocessError as error:
        said = log.read_text(encoding="utf-8", errors="replace").strip()
        # The command line names files and no secret.
        raise LocalError(f"{example.title} could not be published: {error}\n    {said or 'it said nothing'}") from error
    except (ValueError, KeyError) as error:
        raise LocalError(f"`studio publish --json` printed something else than it should: {error!r}") from error
    state.write(_kept(example.model), {"url": settings["STUDIO_URL"], "publication": json.loads(done.stdout)})
    return publication


def _kept(model: str) -> str:
    return "publication.json" if model == CENSUS else f"publication-{model}.json"
