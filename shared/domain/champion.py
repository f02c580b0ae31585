"""The champion: the model that the live endpoint serves, and where its bytes are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

INITIAL = "initial"  # the model that was published with the service, before any run


@dataclass(frozen=True)
class Champion:
    """
    What serves now.

    Attributes:
        run_id: The run that made it, or `INITIAL`.
        artifact: Where its bytes are kept, `container/path`.
        sha256: Of those bytes, in hex.
        trained_at: When the run that made it was created; None for `INITIAL`.
    """

    run_id: str
    artifact: str
    sha256: str
    since: datetime
    trained_at: datetime | None = None


@dataclass(frozen=True)
class ModelRecord:
    """
    What the app remembers of one model between invocations.

    Attributes:
        champion: None until the first evaluation has kept the published model's bytes.
        staged_run: The run whose model staging was last seen to serve.
        lease: Names the worker that may use the staging and live endpoints; empty when nobody does.
        lease_until: When the lease ends by itself.
        last_scheduled_at: When a schedule last started a run, or was first looked at.
    """

    name: str
    champion: Champion | None = None
    staged_run: str = ""
    lease: str = ""
    lease_until: datetime | None = None
    last_scheduled_at: datetime | None = None
    version: str = field(default="", compare=False)
