"""
The crash matrix: a worker process killed (SIGKILL) before or after any one of its effects leaves a world that ends the
same as without the crash.
"""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import killed_worker
import pytest
from census_rows import people
from emptying import empty_storage
from retraining_world import World

_processes = multiprocessing.get_context("forkserver")
LEASE_OVER_S = 11 * 60.0
EVENT = "census/a.csv"


@dataclass
class Platform:
    """Delivers as the platform does: at least once, again after a crash, by a new worker process."""

    world: World
    ahead_s: float = 0.0
    events: list[str] = field(default_factory=lambda: [EVENT])
    messages: list[str] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)

    def run(self, kill_at: int | None) -> int:
        """Let everything happen; return how often a worker was killed."""
        kills = 0
        while not self._work(kill_at):
            kills, kill_at = kills + 1, None
            self.ahead_s += LEASE_OVER_S
            assert kills == 1
        return kills

    def _work(self, kill_at: int | None) -> bool:
        """Start one worker and take note of what it tells; whether it came to its end alive."""
        ours, theirs = _processes.Pipe(duplex=False)
        state = (self.world.environment, self.ahead_s, kill_at, list(self.events), list(self.messages))
        worker = _processes.Process(target=killed_worker.work, args=(*state, theirs))
        worker.start()
        theirs.close()
        finished = False
        for what, text in _told(ours):
            finished |= what == "finished"
            if what == "moment":
                self.moments.append(text)
            elif what == "event done":
                self.events.remove(text)
            elif what == "message sent":
                self.messages.append(text)
            elif what == "message done":
                self.messages.remove(text)
        worker.join()
        assert worker.exitcode == (0 if finished else -signal.SIGKILL)
        return finished


def _told(parent: Any) -> Iterator[tuple[str, str]]:
    while True:
        try:
            yield parent.recv()
        except EOFError:
            return


def _end(world: World) -> dict[str, Any]:
    """What must be the same, crash or no crash; nothing of it may be lost or doubled."""
    (run,) = world.app.views.runs(None)["runs"]
    (dataset,) = world.app.views.datasets(None)["datasets"]
    (model,) = (row for row in world.rows("models") if row["PartitionKey"] == "model")
    champion = json.loads(model["champion"])
    return {
        "run": run["state"],
        "dataset": dataset["state"],
        "dataset's run": dataset["run_id"] == run["id"],
        "decisions": [row["outcome"] for row in world.rows("decisions") if row["run_id"] == run["id"]],
        "champion": "challenger" if champion["run_id"] == run["id"] else champion["run_id"],
        "the champion serves": world.get(champion["artifact"]).decode() == world.service.served["live"],
        "trainings": sum(job.started for job in world.service.jobs.values()),
    }


SAME = {"dataset": "ACCEPTED", "dataset's run": True, "the champion serves": True, "trainings": 1}
PROMOTED = SAME | {"run": "PROMOTED", "decisions": ["PROMOTED"], "champion": "challenger"}
ROLLED_BACK = SAME | {"run": "ROLLED_BACK", "decisions": ["ROLLED_BACK"], "champion": "initial"}


def _play(world: World, kill_at: int | None, lies: int) -> Platform:
    """Play one run in a fresh world, the worker being killed at one moment."""
    service = world.service
    empty_storage(world.storage)
    service.jobs.clear()
    service.served.update(live="quality=0.5", staging="quality=0.5")
    service.faults.lying_updates = lies
    world.put("artifacts/published.ilearner", b"quality=0.5")
    world.put("holdouts/census/holdout.csv", people(300, seed=99))
    world.put(f"training-data/{EVENT}", people(500))
    platform = Platform(world)
    assert platform.run(kill_at) == (0 if kill_at is None else 1)
    return platform


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("expected", "lies", "first"),
    [(PROMOTED, 0, ""), (ROLLED_BACK, 10**6, "before replace runs PROMOTING")],  # up to there both are the same
    ids=["promoted", "rolled back"],
)
def test_a_worker_killed_at_any_moment_changes_nothing_in_the_end(
    world: World, expected: dict[str, Any], lies: int, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _processes.set_forkserver_preload(["shared.composition"])
    moments = _play(world, None, lies).moments
    assert _end(world) == expected
    begin = moments.index(first) if first else 0

    ends: dict[int, dict[str, Any]] = {}
    for moment in range(begin, len(moments)):
        _play(world, moment, lies)
        ends[moment] = _end(world)

    with capsys.disabled():
        print(f"\n{_matrix(moments, ends, expected)}")  # noqa: T201 - the matrix is what this test is read for
    assert len(ends) >= 20
    assert {moments[moment]: end for moment, end in ends.items() if end != expected} == {}


@pytest.mark.timeout(900)
def test_a_worker_killed_at_any_moment_of_a_rollback_changes_nothing_in_the_end(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each rollback undoes the one before, so that one world sees them all."""
    _processes.set_forkserver_preload(["shared.composition"])
    platform = _play(world, None, 0)
    platform.moments.clear()
    assert _roll_back(world, platform, None) == ROLLED_BACK_BY_A_PERSON
    moments = list(platform.moments)

    ends = {moment: _roll_back(world, platform, moment) for moment in range(len(moments))}

    with capsys.disabled():
        print(f"\n{_matrix(moments, ends, ROLLED_BACK_BY_A_PERSON)}")  # noqa: T201 - as above
    assert len(ends) > 10
    assert {moments[moment]: end for moment, end in ends.items() if end != ROLLED_BACK_BY_A_PERSON} == {}
    assert world.app.history.verify("census")["whole"]


ROLLED_BACK_BY_A_PERSON = {"run": "PROMOTED", "decisions": ["ROLLBACK"], "champion": True, "serves": True, "open": []}


def _roll_back(world: World, platform: Platform, kill_at: int | None) -> dict[str, Any]:
    """Ask for the model that served before, the worker being killed at one moment; return what came of it."""
    platform.ahead_s += LEASE_OVER_S
    world.clock.ahead = timedelta(seconds=platform.ahead_s)
    asked = world.app.rollback.rollback("census", None, "ada", "as a test")
    platform.messages.append(json.dumps({"model": "census", "run": asked["id"]}))
    assert platform.run(kill_at) == (0 if kill_at is None else 1)
    champion = json.loads(world.record()["champion"])
    runs = world.app.views.runs("census")["runs"]
    return {
        "run": next(run["state"] for run in runs if run["id"] == asked["id"]),
        "decisions": [row["outcome"] for row in world.rows("decisions") if row["run_id"] == asked["id"]],
        "champion": champion["run_id"] == asked["restores"],
        "serves": world.get(champion["artifact"]).decode() == world.service.served["live"],
        "open": [run["id"] for run in runs if not run["is_final"]],
    }


def _matrix(moments: list[str], ends: dict[int, dict[str, Any]], expected: dict[str, Any]) -> str:
    """Write every effect of a run, and what became of the run when the worker was killed before and after it."""
    lines = [
        f"Killed by SIGKILL at each of {len(ends)} moments; without a crash the run is {expected['run']}.",
        "",
        "| effect | killed before it | killed after it |",
        "| --- | --- | --- |",
    ]
    for moment, end in ends.items():
        when, _, effect = moments[moment].partition(" ")
        shown = end["run"] if end == expected else f"**differs**: {end}"
        if when == "before":
            lines.append(f"| {effect} | {shown} |")
        else:
            at = max(n for n, line in enumerate(lines) if line.startswith(f"| {effect} |") and line.count("|") == 3)
            lines[at] += f" {shown} |"
    return "\n".join(lines)
