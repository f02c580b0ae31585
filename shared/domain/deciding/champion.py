"""The champion: the model that the live endpoint serves, and where its bytes are kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    """

    run_id: str
    artifact: str
    sha256: str
    since: datetime
    trained_at: datetime | None = None
    placed_by: str = ""
    restored: bool = False

    def is_held_against(self, created_at: datetime) -> bool:
        """Whether a person brought this model back after a run that was created then had begun."""
        return self.restored and created_at < self.since


@dataclass(frozen=True)
class ModelRecord:
    """
    What the app remembers of one model between invocations.

    Attributes:
        champion: None until the first evaluation has kept the published model's bytes.
        staged_run: The run whose model staging was last seen to serve.
        lease: Names the worker that may use the staging and live endpoints; empty when nobody does.
        lease_until: When the lease ends by itself.
        anchor: The model that a person last approved, or the published one; guards against many small losses.
        holdout: SHA-256 of the holdout that was judged on last, in hex.
        holdout_uses: How many runs were judged on it.
        holdout_run: The run that used it last.
        holdout_before: The holdout that was judged on before the present one.
        drifted_at: When drift last started a run.
        last_scheduled_at: When a schedule last started a run, or was first looked at.
    """

    name: str
    champion: Champion | None = None
    anchor: Champion | None = None
    holdout: str = ""
    holdout_uses: int = 0
    holdout_run: str = ""
    holdout_before: str = ""
    staged_run: str = ""
    lease: str = ""
    lease_until: datetime | None = None
    drifted_at: datetime | None = None
    last_scheduled_at: datetime | None = None
    version: str = field(default="", compare=False)

    def used(self, holdout: str, run_id: str) -> ModelRecord:
        """Return the record after a run was judged on a holdout; the same run counts once."""
        if holdout != self.holdout:
            return replace(self, holdout=holdout, holdout_uses=1, holdout_run=run_id, holdout_before=self.holdout)
        uses = self.holdout_uses + (run_id != self.holdout_run)
        return replace(self, holdout_uses=uses, holdout_run=run_id)

    def retired_holdout(self, holdout: str, run_id: str) -> str:
        """Return the holdout that a run has to be judged on too, since this one is new; empty where it is not."""
        if holdout != self.holdout:
            return self.holdout
        is_again = self.holdout_run == run_id and self.holdout_uses == 1
        return self.holdout_before if is_again else ""
