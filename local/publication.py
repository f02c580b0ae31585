"""What `python -m studio publish --json` prints, and what the local environment takes from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.secret import Secret


@dataclass(frozen=True)
class PublishedEndpoint:
    """
    One endpoint of the predictive web service.

    Attributes:
        management_url: Takes GET and PATCH of the endpoint.
        api_location: `/execute` below it scores.
    """

    management_url: str
    api_location: str
    key: Secret
    updatable: bool


@dataclass(frozen=True)
class Publication:
    """Where a published experiment trains and scores, and the metrics of its first model."""

    jobs_url: str
    jobs_key: Secret
    resource: str
    endpoints: Mapping[str, PublishedEndpoint]
    summary: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Publication:
        """Read the printed object; raises ValueError or KeyError when it is shaped otherwise."""
        body = json.loads(text)
        endpoints = {
            name: PublishedEndpoint(
                management_url=entry["management_url"],
                api_location=entry["api_location"],
                key=Secret(entry["primary_key"]),
                updatable=entry["updatable"],
            )
            for name, entry in body["predictive"]["endpoints"].items()
        }
        return cls(
            jobs_url=body["training"]["jobs_url"],
            jobs_key=Secret(body["training"]["primary_key"]),
            resource=body["predictive"]["resource"],
            endpoints=endpoints,
            summary=body["summary"],
        )


def app_settings(storage: Secret, publication: Publication) -> dict[str, str]:
    """Return the function app's settings for the local environment; the values hold keys."""
    live, staging = publication.endpoints["live"], publication.endpoints["staging"]
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage.reveal(),
        "DATA_STORAGE": storage.reveal(),
        "MODELS_FILE": "models.toml",
        "POLL_SCHEDULE": "*/1 * * * * *",
        "RETRAIN_SCHEDULE": "*/10 * * * * *",
        "CENSUS_JOBS_URL": publication.jobs_url,
        "CENSUS_JOBS_KEY": publication.jobs_key.reveal(),
        "CENSUS_LIVE_URL": live.management_url,
        "CENSUS_LIVE_KEY": live.key.reveal(),
        "CENSUS_STAGING_URL": staging.management_url,
        "CENSUS_STAGING_KEY": staging.key.reveal(),
    }
