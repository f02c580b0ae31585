"""Lengths of time in words."""

from __future__ import annotations

from datetime import timedelta


def span(length: timedelta) -> str:
    """Write a length of time as people say it: `90 s`, `30 min`, `24 h`, `7 days`; a negative one as none."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
