"""Keeps the environment running and prints what happens in it, until Ctrl-C."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from examples.census.files import derive
from local.api import ApiUnavailable, FunctionApi
from local.environment import Addresses, Environment, install_storage
from local.examples import CENSUS
from local.places import STATE, short
from local.programs import HostKind
from local.publication import Publication
from local.timeline import Timeline
from shared.adapters.storage_layout import TRAINING_DATA

_PAUSE_S = 1.0


def run(
    timeline: Timeline,
    folder: Path,
    *,
    host: HostKind = HostKind.LOCAL,
    port: int | None = None,
    rentals: bool = False,
) -> int:
    """
    Start the environment and follow it until it is interrupted.

    Args:
        folder: Keeps what is published and trained between runs.
        port: The functions host's port; a free one, the same as last time if possible, when None.
        rentals: Whether the two rental models run beside Census Model.

    Raises:
        LocalError: A part did not start, or ended by itself.
    """
    install_storage(timeline.say)
    with Environment(folder, timeline.say, host=host, port=port, rentals=rentals) as environment:
        addresses = environment.start(derive)
        _introduce(timeline, addresses, folder)
        try:
            _follow(timeline, addresses, environment)
        except KeyboardInterrupt:
            timeline.say("\nStopping")
    timeline.say("Stopped. What was published and trained is kept for the next `make up`.")
    return 0


def _introduce(timeline: Timeline, addresses: Addresses, folder: Path) -> None:
    for title, lines in _sections(addresses, folder):
        timeline.say(f"\n{title}")
        room = max(len(name) for name, _ in lines)
        for name, value in lines:
            timeline.say(f"  {name:<{room}}  {value}" if name else f"  {value}")
    timeline.say(f"\nLogs are in {short(folder / 'logs')}. Ctrl-C stops everything.")


def _sections(addresses: Addresses, folder: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    api = f"{addresses.functions_url}/api"
    command = f"{short(Path(sys.executable))} -m local drop {short(folder / 'files' / 'larger.csv')} --model census"
    if folder != STATE:
        command += f" --state {short(folder)}"
    scoring = [line for model, published in addresses.publications.items() for line in _endpoints(model, published)]
    jobs = [
        ("jobs" if model == CENSUS else f"{model} jobs", f"{published.jobs_url}?api-version=2.0  key {key}")
        for model, published in addresses.publications.items()
        if (key := published.jobs_key.reveal())
    ]
    return [
        ("Drop a training file; this one is synthetic, and better than what serves now", [("", command)]),
        (
            "Watch what becomes of it",
            [
                ("dashboard", f"{api}/dashboard  (asks for the key below)"),
                ("command", f"{short(Path(sys.executable))} -m relearn runs"),
                ("runs", f"{api}/runs"),
                ("datasets", f"{api}/datasets"),
                ("health", f"{api}/health  (no key)"),
                ("key", f"{addresses.function_key.reveal()}  (header x-functions-key)"),
            ],
        ),
        ("Score, with the header `Authorization: Bearer KEY`", scoring),
        ("Train by hand", jobs),
        (
            "Use the storage; all keys here are for local development and open nothing else",
            [("container", TRAINING_DATA), ("string", addresses.storage.reveal())],
        ),
    ]


def _endpoints(model: str, published: Publication) -> Iterator[tuple[str, str]]:
    before = "" if model == CENSUS else f"{model} "
    for name, endpoint in published.endpoints.items():
        url = f"{endpoint.api_location}/execute?api-version=2.0&details=true"
        yield f"{before}{name}", f"{url}  key {endpoint.key.reveal()}"
    yield f"{before}help", f"{published.endpoints['live'].help_url}  (in a browser; no key)"


def _follow(timeline: Timeline, addresses: Addresses, environment: Environment) -> None:
    api = FunctionApi(addresses.functions_url, addresses.function_key)
    seen: dict[str, str] | None = None
    while True:
        environment.check()
        with contextlib.suppress(ApiUnavailable):
            now = _states(api)
            for key, line in now.items():
                if seen is not None and seen.get(key) != line:
                    timeline.say(f"{datetime.now():%H:%M:%S}  {line}")
            seen = now
        time.sleep(_PAUSE_S)


def _states(api: FunctionApi) -> dict[str, str]:
    """Return what to say of each file and each run; a line changes when its state does."""
    files = {f"{d.name} {d.seen_at}": f"{d.name}: {d.state} {d.reason}".rstrip() for d in api.datasets()}
    runs = {run.id: f"run {run.id}: {run.state} {run.reason}".rstrip() for run in api.runs()}
    return files | runs
