"""What a check of the configuration found, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

# Tokens are valid from five minutes before they are signed; half of that is left for the way.
MOST_SKEW = timedelta(minutes=2, seconds=30)


@dataclass(frozen=True)
class Diagnosis:
    """
    One check.

    Attributes:
        subject: A model, or `storage`.
        check: What was looked at.
        ok: Whether it is as it must be.
        found: What was seen.
        remedy: What to do; empty when it is well.
    """

    subject: str
    check: str
    ok: bool
    found: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def clock_diagnosis(subject: str, theirs: datetime | None, ours: datetime) -> Diagnosis:
    """Compare two clocks; one that was not told counts as well."""
    if theirs is None:
        return Diagnosis(subject, "clock", True, "it does not tell the time")
    skew = abs(theirs - ours)
    found = f"{skew.total_seconds():.0f} s apart"
    if skew <= MOST_SKEW:
        return Diagnosis(subject, "clock", True, found)
    return Diagnosis(
        subject, "clock", False, found, "set both clocks by NTP: tokens are refused before and after their time"
    )
