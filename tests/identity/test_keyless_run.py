"""A whole run with the settings that infra/ writes: no key anywhere, promoted at the end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from local.azurite import Azurite
from shared.adapters.blobs import BlobStore
from shared.composition import compose
from shared.secret import Secret
from tests.identity.keyless import own_settings
from tests.integration.census_rows import people
from tests.integration.classic_service import ClassicService

SCHEDULES = {"POLL_SCHEDULE": "* * * * * *", "RETRAIN_SCHEDULE": "* * * * * *"}


def test_a_file_is_trained_and_promoted_without_any_key(connection: Secret, https_azurite: Azurite) -> None:
    blobs = BlobStore(connection)
    blobs.write("holdouts/census/holdout.csv", people(1000, seed=99))
    blobs.write("artifacts/published.ilearner", b"quality=0.5")
    published = blobs.reference("artifacts/published.ilearner", write=False, lifetime=timedelta(hours=1))
    with ClassicService(published=published.signed_url().reveal()) as service:
        settings = service.settings() | SCHEDULES | own_settings(https_azurite)
        settings.pop("DATA_STORAGE", None)
        app = compose(settings | {"TRAINING_DATA_SOURCE": "EventGrid"})
        blobs.write("training-data/census/new.csv", people(600, seed=1))

        app.arrival.receive(blobs.blob("training-data/census/new.csv"))
        app.prepare()
        run = _until_final(app)

    assert run["state"] == "PROMOTED"
    (job,) = service.jobs.values()
    assert job.outputs
    assert all(place["ConnectionString"] is None for place in job.outputs.values())
    assert all("skoid=" in place["SasBlobToken"] for place in job.outputs.values())


def _until_final(app: Any) -> dict[str, Any]:
    for _ in range(20):
        for message in app.polling.tick():
            due = json.loads(message)
            app.evaluation.evaluate(due["model"], due["run"])
        (run,) = app.views.runs(None)["runs"]
        if run["is_final"]:
            return dict(run)
    raise AssertionError(f"not final: {run}")
