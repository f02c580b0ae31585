"""Files unlike the champion's data end the wait of those that wait."""

from __future__ import annotations

from datetime import timedelta

import pytest
from census_rows import people
from deciding_steps import declare, promoted
from retraining_world import World

from shared.domain.data.drift import DriftRule

NEVER = "0 0 0 29 2 *"


@pytest.fixture
def waiting(world: World) -> World:
    """A model with a champion from a dropped file, whose files wait for a schedule from now on."""
    promoted(world, "a.csv", 0.8, 1)
    patient = {"schedule": NEVER, "drift": DriftRule(files=3, drifted=2, cooldown=timedelta(hours=1))}
    declare(world, **patient)
    world.app.arrival._by_folder["census"] = world.app.evaluation._models["census"]
    return world


def older(seed: int) -> bytes:
    """People of whom nobody is young."""
    header, *rows = people(1500, seed=seed).splitlines()
    return b"\n".join([header, *(row for row in rows if int(row[:2]) >= 50)]) + b"\n"


def states(world: World) -> list[tuple[str, str]]:
    return sorted((d["name"], "trains" if d["run_id"] else "waits") for d in world.app.views.datasets(None)["datasets"])


def test_two_files_that_drifted_train_before_their_schedule(waiting: World) -> None:
    waiting.drop("b.csv", older(2))
    waiting.app.scheduled.retrain_due()
    assert ("census/b.csv", "waits") in states(waiting)

    waiting.drop("c.csv", older(3))
    waiting.app.scheduled.retrain_due()

    assert states(waiting)[1:] == [("census/b.csv", "trains"), ("census/c.csv", "trains")]
    reason = waiting.dataset("c.csv")["reason"]
    assert (
        "2 of the newest 2 files have drifted from the champion's data (threshold 0.2), the newest in 'age'" in reason
    )


def test_files_like_the_champions_wait_for_their_schedule(waiting: World) -> None:
    for seed in (2, 3, 4):
        waiting.drop(f"{seed}.csv", people(800, seed=seed))
    waiting.app.scheduled.retrain_due()

    assert [state for _, state in states(waiting)] == ["waits", "waits", "waits", "trains"]


def test_after_a_retraining_for_drift_the_next_one_waits(waiting: World) -> None:
    for seed in (2, 3):
        waiting.drop(f"{seed}.csv", older(seed))
    waiting.app.scheduled.retrain_due()
    for seed in (4, 5):
        waiting.drop(f"{seed}.csv", older(seed))
    waiting.app.scheduled.retrain_due()

    assert [state for _, state in states(waiting)] == ["trains", "trains", "waits", "waits", "trains"]
