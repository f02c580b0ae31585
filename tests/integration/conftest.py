"""Empty storage and a world of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from census_rows import people
from classic_service import ClassicService
from emptying import empty_storage
from retraining_world import MovableClock, World

from shared.composition import compose
from shared.secret import Secret

SCHEDULES = {"POLL_SCHEDULE": "* * * * * *", "RETRAIN_SCHEDULE": "* * * * * *"}


@pytest.fixture
def storage(azurite: Any) -> Secret:
    """The app's storage, empty."""
    connection = Secret(azurite.connection_string)
    empty_storage(connection)
    return connection


@pytest.fixture
def world(storage: Secret) -> Iterator[World]:
    with ClassicService() as service:
        environment = SCHEDULES | service.settings() | {"DATA_STORAGE": storage.reveal()}
        clock = MovableClock()
        world = World(compose(environment, clock), service, storage, environment, clock)
        world.app.evaluation._scoring._staging._settle = timedelta(seconds=1)
        world.app.evaluation._promotion._deadline = timedelta(seconds=1)
        world.put("holdouts/census/holdout.csv", people(2000, seed=99))
        world.put("artifacts/published.ilearner", b"quality=0.5")
        service.published = (
            world.app.evaluation._stores.blobs.reference(
                "artifacts/published.ilearner", write=False, lifetime=timedelta(hours=1)
            )
            .signed_url()
            .reveal()
        )
        yield world
