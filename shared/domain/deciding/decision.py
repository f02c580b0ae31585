"""
The chain of decisions: what was decided when, by whom or what, on which evidence; and what it says of the past.

Each decision holds the hash of the one before it, so an edit, a removal or a change of order breaks the chain.
Decisions cut off at the end leave a chain that is whole in itself: they show against the head that is kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.deciding.champion import INITIAL

ROLLBACK, OVERRIDE = "ROLLBACK", "OVERRIDE"
PLACING = frozenset({"PROMOTED", ROLLBACK, OVERRIDE})  # outcomes after which another model serves


@dataclass(frozen=True)
class Decision:
    """
    One link of a model's chain.

    Attributes:
        number: From 0, without gaps.
        outcome: A final state of a run, `HELD`, `ROLLBACK` or `OVERRIDE`.
        evidence: Plain JSON: reason, verdict, files, champion before and after, who approved.
        previous: Hash of the link before; empty for the first.
    """

    model: str
    number: int
    run_id: str
    outcome: str
    at: datetime
    evidence: dict[str, Any]
    previous: str
    hash: str

    @property
    def head(self) -> Head:
        """What is noted of it outside the chain."""
        return Head(self.number, self.hash)

    def expected_hash(self) -> str:
        """Return the hash that this link must have, in hex."""
        content = [self.model, self.number, self.run_id, self.outcome, self.at.isoformat(), self.evidence]
        text = self.previous + json.dumps(content, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Return the decision as plain JSON values."""
        return {
            "model": self.model,
            "number": self.number,
            "run_id": self.run_id,
            "outcome": self.outcome,
            "at": self.at.isoformat(),
            "evidence": self.evidence,
            "previous": self.previous,
            "hash": self.hash,
        }


@dataclass(frozen=True)
class Head:
    """The newest link as it was noted outside the chain."""

    number: int
    hash: str


def problems_of(chain: Sequence[Decision], head: Head | None) -> list[str]:
    """
    Say what is wrong with a chain; nothing is when the list is empty.

    Args:
        chain: Oldest first.
        head: The newest link that was noted elsewhere; the chain may have grown since.
    """
    problems = []
    before = ""
    for place, link in enumerate(chain):
        if link.number != place:
            problems.append(f"decision {place} is missing or out of order: number {link.number} is in its place")
        if link.previous != before:
            problems.append(f"decision {link.number} does not follow the one before it")
        if link.hash != link.expected_hash():
            problems.append(f"decision {link.number} was changed after it was made")
        before = link.hash
    if head is None and len(chain) > 1:
        problems.append("the note of the newest decision is gone, so a cut at the end would not show")
    if head and (head.number >= len(chain) or chain[head.number].hash != head.hash):
        problems.append(f"decision {head.number} was made and is not there as it was: the chain was cut or rewritten")
    return problems


def decider(link: Decision) -> str:
    """Return the person who decided: who approved, rejected, cancelled, brought back or overrode; empty: the gate."""
    evidence = link.evidence
    if by := (evidence.get("approval") or {}).get("by"):
        return str(by)
    key = {ROLLBACK: "requested_by", OVERRIDE: "requested_by", "CANCELLED": "cancelled_by"}.get(link.outcome, "")
    return str(evidence.get(key) or "")


def serving_at(chain: Sequence[Decision], at: datetime) -> Decision | None:
    """Return the decision that put the model live that served at an instant; None for the published model."""
    return next((link for link in reversed(chain) if link.outcome in PLACING and link.at <= at), None)


def changing_at(chain: Sequence[Decision], at: datetime) -> Decision | None:
    """Return the decision that ended a change of the live endpoint under way at an instant; None when none was."""
    for link in chain:
        began = link.evidence.get("live_changed_from")
        if began and datetime.fromisoformat(began) <= at < link.at:
            return link
    return None


def served_before(chain: Sequence[Decision], champion: str) -> str:
    """Return the id of the model that served before the present champion; empty when there was none."""
    placings = [link for link in chain if link.outcome in PLACING]
    newest = next((link for link in reversed(placings) if _after(link) == champion), None)
    return str(newest.evidence.get("champion_before", "")) if newest else ""


def has_served(chain: Sequence[Decision], model_of_run: str) -> bool:
    """Whether the model that a run made has served."""
    return model_of_run == INITIAL or any(_after(link) == model_of_run for link in chain if link.outcome in PLACING)


def _after(link: Decision) -> str:
    return str(link.evidence.get("champion_after", {}).get("run_id", ""))
