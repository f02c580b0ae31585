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

    @property
    def help_url(self) -> str:
        """The endpoint's help page, which wants no key: what to send, and sample programs."""
        service = self.management_url.rpartition("/endpoints/")[0].replace("/workspaces/", "/apihelp/workspaces/", 1)
        return f"{service}/endpoints/{self.api_location.rpartition('/')[2]}"


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


def app_settings(storage: Secret, publications: Mapping[str, Publication], models_file: str) -> dict[str, str]:
    """Return the function app's settings for these models in the local environment; the values hold keys."""
    settings = {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage.reveal(),
        "DATA_STORAGE": storage.reveal(),
        "MODELS_FILE": models_file,
        "POLL_SCHEDULE": "*/1 * * * * *",
        "RETRAIN_SCHEDULE": "*/10 * * * * *",
    }
    for model, publication in publications.items():
        settings |= _service_settings(model.upper(), publication)
    return settings


def _service_settings(name: str, publication: Publication) -> dict[str, str]:
    live, staging = publication.endpoints["live"], publication.endpoints["staging"]
    return {
        f"{name}_JOBS_URL": publication.jobs_url,
        f"{name}_JOBS_KEY": publication.jobs_key.reveal(),
        f"{name}_LIVE_URL": live.management_url,
        f"{name}_LIVE_KEY": live.key.reveal(),
        f"{name}_STAGING_URL": staging.management_url,
        f"{name}_STAGING_KEY": staging.key.reveal(),
    }
