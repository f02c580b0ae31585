"""Web services and their endpoints: what is published, apart from how it is stored or served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from hmac import compare_digest

from shared.secret import Secret
from studio.engine.score_module import ScoreModule

DEFAULT_ENDPOINT = "default"


class Kind(Enum):
    """What a web service is for."""

    TRAINING = "training"  # answers batch execution, makes models
    PREDICTIVE = "predictive"  # answers scoring, its endpoints hold models


@dataclass(frozen=True)
class WebService:
    """
    A published experiment.

    `experiment` is the digest of its declaration, `resource` the name of the model that a PATCH may replace (empty for
    a training service), `input_name` the port that takes rows or data files, `score` how a predictive one shows its
    model's answers. `modified_at` is when the store saved it last.
    """

    id: str
    workspace: str
    name: str
    kind: Kind
    experiment: str
    input_name: str
    resource: str
    created_at: datetime
    description: str = ""
    score: ScoreModule = field(default_factory=ScoreModule)
    modified_at: datetime | None = None
    etag: str = ""


@dataclass(frozen=True)
class Endpoint:
    """
    One address of a web service with its two keys, both valid.

    `model` is the digest of the model that it serves, empty for a training service; `past_models`, which the store
    keeps, those that it served before, newest first. `prevent_update` marks the endpoint that follows the experiment
    and takes no PATCH. `modified_at` is when the store saved it last.
    """

    id: str
    workspace: str
    service_id: str
    name: str
    primary_key: Secret
    secondary_key: Secret
    created_at: datetime
    model: str = ""
    prevent_update: bool = False
    description: str = ""
    max_concurrent_calls: int = 4
    throttle_level: str = "Low"
    diagnostics_level: str = "None"
    past_models: tuple[str, ...] = ()
    modified_at: datetime | None = None
    etag: str = ""

    def opens_to(self, authorization: bytes) -> bool:
        """Whether a header is the usual one with one of the keys; quicker than to take it apart for `opens_with`."""
        first, second = self._usual
        is_first, is_second = compare_digest(authorization, first), compare_digest(authorization, second)
        return is_first or is_second

    @cached_property
    def _usual(self) -> tuple[bytes, bytes]:
        return f"Bearer {self.primary_key.reveal()}".encode(), f"Bearer {self.secondary_key.reveal()}".encode()

    def opens_with(self, key: str) -> bool:
        """Whether `key` is one of the two; both are compared, in constant time."""
        primary, secondary = self.primary_key.matches(key), self.secondary_key.matches(key)
        return primary or secondary


@dataclass(frozen=True)
class Catalog:
    """Everything published in one workspace at one version; `workspace` is None before the first publication."""

    workspace: str | None = None
    version: str = ""
    services: Mapping[str, WebService] = field(default_factory=dict)  # by id
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)  # by id

    def service_named(self, name: str) -> WebService | None:
        """Find a web service by its display name."""
        return next((service for service in self.services.values() if service.name == name), None)

    def endpoints_of(self, service_id: str) -> list[Endpoint]:
        """List a web service's endpoints, oldest first."""
        own = [endpoint for endpoint in self.endpoints.values() if endpoint.service_id == service_id]
        return sorted(own, key=lambda endpoint: (endpoint.created_at, endpoint.name))

    def endpoint_named(self, service_id: str, name: str) -> Endpoint | None:
        """Find an endpoint of a web service by name."""
        return next((e for e in self.endpoints.values() if e.service_id == service_id and e.name == name), None)
