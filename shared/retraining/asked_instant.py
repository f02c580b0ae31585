"""An instant that a person writes."""

from __future__ import annotations

from datetime import datetime

from shared.errors import RequestRefused


def asked_instant(text: str) -> datetime:
    """
    Read an instant, ISO 8601 with its time zone.

    Raises:
        RequestRefused: It is none.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise RequestRefused(f"'{text[:40]}' is no instant; write it as 2026-01-31T12:00:00Z", 400) from None
    if instant.tzinfo is None:
        raise RequestRefused(f"'{text[:40]}' names no time zone; write it as 2026-01-31T12:00:00Z", 400)
    return instant
