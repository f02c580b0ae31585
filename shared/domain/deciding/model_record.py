"""What the app remembers of one model between invocations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domain.deciding.champion import Champion
from shared.domain.deciding.decision import Head

_VERSIONS = 50


@dataclass(frozen=True)
class ModelRecord:
    """
    What the app remembers of one model between invocations.

    Attributes:
        champion: None until the first evaluation has kept the published model's bytes.
        staged_run: The run whose model staging was last seen to serve.
        lease: Names the worker that may use the staging and live endpoints; empty when nobody does.
        lease_run: The run that it uses them for.
        lease_until: When the lease ends by itself.
        anchor: The model that a person last approved, or the published one; guards against many small losses.
        anchor_evidence: The newest evidence that holds its answers, `container/path`; empty before the first.
        holdout: SHA-256 of the holdout that was judged on last, in hex.
        holdout_uses: How many runs were judged on it, or on one of nearly the same rows before it.
        holdout_run: The run that used it last.
        holdout_since: The run that used it first.
        past_uses: Uses of the versions before it, by their SHA-256; the latest fifty.
        holdout_before: The holdout that was judged on before the present one.
        drifted_at: When drift last started a run.
        last_scheduled_at: When a schedule last started a run, or was first looked at.
        head: The newest link of the model's chain of decisions, as it was noted last; None before the first.
    """

    name: str
    champion: Champion | None = None
    anchor: Champion | None = None
    anchor_evidence: str = ""
    holdout: str = ""
    holdout_uses: int = 0
    holdout_run: str = ""
    holdout_before: str = ""
    holdout_since: str = ""
    past_uses: Mapping[str, int] = field(default_factory=dict)
    staged_run: str = ""
    lease: str = ""
    lease_run: str = ""
    lease_until: datetime | None = None
    drifted_at: datetime | None = None
    last_scheduled_at: datetime | None = None
    head: Head | None = None
    version: str = field(default="", compare=False)

    def is_leased(self, now: datetime) -> bool:
        """Whether a worker uses the endpoints."""
        return bool(self.lease and self.lease_until and self.lease_until > now)

    def is_used_for(self, run_id: str, now: datetime) -> bool:
        """Whether a worker uses the endpoints for this run."""
        return self.is_leased(now) and self.lease_run == run_id

    def used_for(self, run_id: str) -> ModelRecord:
        """Return the record when a run is to use the endpoints: staging gets its model, unless it has it already."""
        return replace(self, lease_run=run_id, staged_run=run_id if self.staged_run == run_id else "")

    def used(self, holdout: str, run_id: str, evidence: str = "", *, is_like_before: bool = False) -> ModelRecord:
        """
        Return the record after a run was judged on a holdout; the same run counts once.

        Args:
            evidence: Where the run's evidence is kept: it holds the answers of champion and anchor.
            is_like_before: Whether a new version has most of its rows from the one before: then its uses go on.
        """
        known = replace(self, anchor_evidence=evidence)
        if holdout != self.holdout:
            past = {**self.past_uses, self.holdout: self.holdout_uses} if self.holdout else dict(self.past_uses)
            spent = max(past.get(holdout, 0), self.holdout_uses if is_like_before else 0)
            return replace(
                known,
                holdout=holdout,
                holdout_uses=spent + 1,
                holdout_run=run_id,
                holdout_before=self.holdout,
                holdout_since=run_id,
                past_uses=dict(list(past.items())[-_VERSIONS:]),
            )
        uses = self.holdout_uses + (run_id != self.holdout_run)
        return replace(known, holdout_uses=uses, holdout_run=run_id)

    def retired_holdout(self, holdout: str, run_id: str) -> str:
        """Return the holdout that a run has to be judged on too, since this one is new; empty where it is not."""
        if holdout != self.holdout:
            return self.holdout
        first = self.holdout_since or (self.holdout_run if self.holdout_uses == 1 else "")  # empty in rows of before
        is_again = first == run_id == self.holdout_run
        return self.holdout_before if is_again else ""

    def noting(self, head: Head) -> ModelRecord:
        """Return the record with a new head of the chain, unless it knows a newer one."""
        return replace(self, head=head) if self.head is None or self.head.number < head.number else self
