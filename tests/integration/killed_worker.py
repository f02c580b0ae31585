"""
A worker process of the app that kills itself (SIGKILL) at one of the moments before and after its effects.

What the platform keeps outside the worker (events and messages that are not done yet) is told to the parent as it
happens, over a pipe.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from shared.adapters.blobs import BlobStore
from shared.adapters.http import ServiceCaller
from shared.adapters.tables import TableStore
from shared.composition import App, compose

EFFECTS: dict[type, tuple[str, ...]] = {
    TableStore: ("insert", "insert_together", "replace", "replace_with", "_replace_together", "put"),
    BlobStore: ("write",),
    ServiceCaller: ("call",),
}
_ROUNDS = 12


class Fuse:
    """Tells each moment to the parent, and kills the process at one of them."""

    def __init__(self, parent: Connection, kill_at: int | None) -> None:
        self._parent, self._kill_at, self._burnt = parent, kill_at, 0
        self._lock = threading.Lock()

    def burn(self, moment: str) -> None:
        with self._lock:
            self.tell("moment", moment)
            if self._burnt == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self._burnt += 1

    def tell(self, what: str, text: str = "") -> None:
        self._parent.send((what, text))

    def wrap(self, effect: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            subject = f"{name} {_subject(args)}".strip()
            self.burn(f"before {subject}")
            result = effect(*args, **kwargs)
            self.burn(f"after {subject}")
            return result

        return wrapped


def _subject(args: tuple[Any, ...]) -> str:
    """Name what an effect acts on, the same in every run of the test."""
    owner, first = args[0], args[1]
    if isinstance(owner, TableStore):
        row = first[0] if isinstance(first, list | tuple) else first
        row = row[0] if isinstance(row, tuple) else row
        kind = "claim" if str(row["RowKey"]).startswith("content:") else row.get("state") or row.get("outcome") or ""
        return f"{owner.name} {kind}".strip()
    if isinstance(owner, BlobStore):
        return str(first).rpartition("/")[2]
    return str(first)


def work(
    environment: Mapping[str, str], ahead_s: float, kill_at: int | None, events: list[str], messages: list[str],
    parent: Connection,
) -> None:  # fmt: skip
    """Deliver, tick and evaluate until nothing is left to do."""
    fuse = Fuse(parent, kill_at)
    for owner, names in EFFECTS.items():
        for name in names:
            setattr(owner, name, fuse.wrap(getattr(owner, name), name.strip("_")))
    clock = _Clock(ahead_s)
    app = compose(environment, clock)
    app.evaluation._scoring._staging._settle = timedelta(seconds=0.3)
    app.evaluation._promotion._deadline = timedelta()  # one look: each run of the test has the same moments
    for _ in range(_ROUNDS):
        _round(app, fuse, events, messages)
        clock.ahead += timedelta(seconds=30)
        if not (events or messages) and all(run["is_final"] for run in app.views.runs(None)["runs"]):
            break
    fuse.tell("finished")


class _Clock:
    def __init__(self, ahead_s: float) -> None:
        self.ahead = timedelta(seconds=ahead_s)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def _round(app: App, fuse: Fuse, events: list[str], messages: list[str]) -> None:
    if events:
        app.arrival.receive(app.evaluation._stores.blobs.blob(f"training-data/{events[0]}"))
        fuse.tell("event done", events.pop(0))
    for message in app.polling.tick():
        fuse.burn("before queue message")
        fuse.tell("message sent", message)
        messages.append(message)
        fuse.burn("after queue message")
    if messages:
        due = json.loads(messages[0])
        app.evaluation.evaluate(due["model"], due["run"])
        fuse.tell("message done", messages.pop(0))
