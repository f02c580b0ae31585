"""When a person is asked before a promotion, and who may answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AskWhen(Enum):
    """When a person is asked; the value is what models.toml says."""

    NEVER = "never"  # nobody is asked: what the gate holds is rejected
    ON_HOLD = "on-hold"
    ALWAYS = "always"


@dataclass(frozen=True)
class Approval:
    """
    A model's rule of approval.

    Attributes:
        ask: When a person is asked.
        allow_self: Whether who asked for a run may approve it.
    """

    ask: AskWhen = AskWhen.ON_HOLD
    allow_self: bool = True

    def objection(self, by: str, reason: str, requested_by: str) -> str:
        """Say why this person's decision does not count; empty when it does."""
        if not by.strip():
            return "who decides is missing: give `by`"
        if not reason.strip():
            return "the reason is missing: give `reason`"
        if not self.allow_self and by.strip().casefold() == requested_by.strip().casefold():
            return f"'{by}' asked for this run; another person has to decide (`approval.allow_self = false`)"
        return ""
