"""The champion: the model that the live endpoint serves, and where its bytes are kept."""

from __future__ import annotations

from dataclasses import dataclass
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
        since: When it was seen to serve.
        trained_at: When the run that made it was created; None for `INITIAL`.
        placed_by: The run that put it live: its own, or a rollback or override.
        restored: Whether a person put it back. A run older than that is held rather than promoted by itself.
        until: When an override ends, and the model before it comes back; None where it serves until another goes live.
    """

    run_id: str
    artifact: str
    sha256: str
    since: datetime
    trained_at: datetime | None = None
    placed_by: str = ""
    restored: bool = False
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Whether this is an override whose time is up."""
        return self.until is not None and self.until <= now

    def is_held_against(self, created_at: datetime) -> bool:
        """Whether a person brought this model back after a run that was created then had begun."""
        return self.restored and created_at < self.since
