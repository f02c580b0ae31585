"""The function app in the local functions host over a test's world; files are dropped by the test alone."""

from __future__ import annotations

from pathlib import Path

from retraining_world import World

from local.host.host import FunctionsHost

ROOT = Path(__file__).parents[2]
KEY = "planted-function-key"
_BY_ITSELF = ("training_data_arrived", "retrain_on_schedule")


def host_of(world: World) -> FunctionsHost:
    """Return a host that is not started yet."""
    settings = {
        **world.environment,
        **{f"AzureWebJobs.{name}.Disabled": "true" for name in _BY_ITSELF},
        "AzureWebJobsStorage": world.storage.reveal(),
        "LOCAL_HOST_FUNCTION_KEY": KEY,
    }
    return FunctionsHost(ROOT, settings)
