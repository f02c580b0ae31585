"""The overview of a model's runs: as many as a person can look at, all of them counted."""

from __future__ import annotations

from dataclasses import replace

from deciding_steps import held
from retraining_world import World

from shared.domain.lifecycle.runs import RunState


def test_the_overview_lists_the_newest_of_many_open_runs_and_counts_them(world: World) -> None:
    run = held(world)
    runs = world.app.evaluation._stores.runs
    kept = runs.find("census", run["id"])
    assert kept
    for n in range(24):
        runs.create(replace(kept, id=f"held-{n}", version=""))
    for n in range(30):
        runs.create(replace(kept, id=f"running-{n}", state=RunState.TRAINING, version=""))

    page = world.app.dashboard.overview("", "")

    assert page.count('<article class="card is-held">') == 20
    assert "The 20 that changed last, of 25;" in page
    assert page.count('<td data-name="Run">running-') == 20
    assert "The 20 that changed last, of 30;" in page
