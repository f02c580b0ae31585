"""What tests do to bring a run to where somebody decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from census_rows import people
from retraining_world import World

from shared.domain.deciding.approval import Approval, AskWhen


def declare(world: World, **changes: Any) -> None:
    """Change what models.toml says of the model, in every use case."""
    models = world.app.evaluation._models
    models["census"] = replace(models["census"], **changes)  # type: ignore[index]


def change_gate(world: World, **changes: Any) -> None:
    rule = world.app.evaluation._models["census"].gate
    assert rule
    declare(world, gate=replace(rule, **changes))


def ask_always(world: World, *, allow_self: bool = True) -> None:
    declare(world, approval=Approval(AskWhen.ALWAYS, allow_self))


def evaluate(world: World, run: dict[str, Any]) -> dict[str, Any]:
    world.app.evaluation.evaluate("census", run["id"])
    found = world.app.views.run(run["id"])
    assert found
    return found


def begin(world: World, name: str, quality: float, seed: int) -> dict[str, Any]:
    """Bring a run to EVALUATING."""
    world.service.quality = quality
    world.drop(name, people(600, seed=seed))
    world.app.polling.tick()
    return world.run()


def promoted(world: World, name: str, quality: float, seed: int) -> dict[str, Any]:
    world.service.quality = quality
    world.drop(name, people(600, seed=seed))
    world.tick()
    run = world.run()
    assert run["state"] == "PROMOTED", run["reason"]
    return run


def held(world: World) -> dict[str, Any]:
    ask_always(world)
    world.drop("a.csv", people(600))
    world.tick()
    run = world.run()
    assert run["state"] == "HELD", run["reason"]
    return run
