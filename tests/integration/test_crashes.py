"""A worker that dies before or after any one of its effects leaves a world that ends the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from census_rows import people
from conftest import World

from shared.adapters.blobs import BlobStore
from shared.adapters.http import ServiceCaller
from shared.adapters.tables import TableStore

EFFECTS = {TableStore: ("insert", "replace"), BlobStore: ("write",), ServiceCaller: ("call",)}
LEASE_OVER = timedelta(minutes=11)


class Killed(BaseException):
    """The worker is gone; nothing in the app may catch this."""


class Fuse:
    """Counts the moments before and after each effect, and kills at one of them, once."""

    def __init__(self) -> None:
        self.moments: list[str] = []
        self.kill_at: int | None = None

    def wrap(self, effect: Callable[..., Any], name: str) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self._burn(f"before {name} {_subject(args)}")
            result = effect(*args, **kwargs)
            self._burn(f"after {name} {_subject(args)}")
            return result

        return wrapped

    def _burn(self, moment: str) -> None:
        self.moments.append(moment)
        if self.kill_at == len(self.moments) - 1:
            self.kill_at = None
            raise Killed(moment)


def _subject(args: tuple[Any, ...]) -> str:
    return " ".join(str(arg) for arg in (getattr(args[0], "name", ""), *args[1:3]) if isinstance(arg, str))[:60]


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fuse]:
    fuse = Fuse()
    for owner, names in EFFECTS.items():
        for name in names:
            monkeypatch.setattr(owner, name, fuse.wrap(getattr(owner, name), f"{owner.__name__}.{name}"))
    return fuse


class Platform:
    """Delivers as the platform does: at least once, again after a crash, with timers that go on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events = ["a.csv"]
        self.messages: list[str] = []

    def run(self, rounds: int = 8) -> int:
        """Let everything happen; return how often a worker was killed."""
        kills = 0
        for _ in range(rounds):
            for step in (self._deliver_event, self._poll, self._deliver_message):
                try:
                    step()
                except Killed:
                    kills += 1
                    self.world.clock.ahead += LEASE_OVER
            self.world.pass_time(seconds=30)
        return kills

    def _deliver_event(self) -> None:
        if self.events:
            self.world.deliver(self.events[0])
            self.events.pop()

    def _poll(self) -> None:
        self.messages += self.world.app.polling.tick()

    def _deliver_message(self) -> None:
        if self.messages:
            due = json.loads(self.messages[0])
            self.world.app.evaluation.evaluate(due["model"], due["run"])
            self.messages.pop(0)


def _end(world: World) -> dict[str, Any]:
    """What must be the same, crash or no crash."""
    runs = world.app.views.runs(None)["runs"]
    return {
        "runs": [(run["state"], run["reason"].partition("; proven")[0]) for run in runs],
        "datasets": [(d["state"], d["run_id"] == runs[0]["id"]) for d in world.app.views.datasets(None)["datasets"]],
        "decisions": [(d["RowKey"], d["outcome"]) for d in world.rows("decisions")],
        "champion": [json.loads(m["champion"])["run_id"] == runs[0]["id"] for m in [world.record()]],
        "live": world.service.served["live"],
        "trainings": sum(job.started for job in world.service.jobs.values()),
    }


PROMOTED = {
    "runs": [("PROMOTED", None)],
    "datasets": [("ACCEPTED", True)],
    "decisions": [("0000000000", "PROMOTED")],
    "champion": [True],
    "live": "quality=1.0",
    "trainings": 1,
}
MOMENTS = 90  # more than a promoted run has; the surplus is checked to be empty


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_worker_killed_at_any_moment_changes_nothing_in_the_end(world: World, fuse: Fuse, moment: int) -> None:
    world.put("training-data/census/a.csv", people(600))
    fuse.moments.clear()
    fuse.kill_at = moment

    kills = Platform(world).run()

    if fuse.kill_at is not None:
        assert len(fuse.moments) <= moment
        return
    end = _end(world)
    assert kills == 1
    assert end | {"runs": [(state, None) for state, _ in end["runs"]]} == PROMOTED, fuse.moments[moment]


def test_the_moments_are_those_of_a_whole_run(world: World, fuse: Fuse) -> None:
    world.put("training-data/census/a.csv", people(600))
    fuse.moments.clear()

    assert Platform(world).run() == 0
    assert 40 < len(fuse.moments) < MOMENTS
