"""
Schedules in the platform's own dialect, NCRONTAB: `{second} {minute} {hour} {day} {month} {day-of-week}`, UTC.

Day and day-of-week must both match; Sunday is 0. Source: docs/architecture.md, "Schedules".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from croniter import croniter


def problem_with(schedule: str) -> str:
    """Say what is wrong with a schedule; empty when nothing is."""
    fields = schedule.split()
    if len(fields) != 6:
        return f"has {len(fields)} fields, expected six: second minute hour day month day-of-week"
    weekday = re.sub(r"(?i)[a-z]{3,}", "1", fields[5])
    if re.search(r"[LW#?@]", "".join(fields[:4]) + weekday, re.IGNORECASE) or re.search(r"\b7\b", weekday):
        return "uses L, W, #, ?, @ or weekday 7, which the platform does not know; Sunday is 0"
    try:
        _iterator(schedule, datetime.now(UTC)).get_next(datetime)
    except (ValueError, KeyError, AttributeError) as wrong:
        return f"cannot be read: {wrong}"
    return ""


def is_due(schedule: str, last: datetime, now: datetime) -> bool:
    """Whether at least one occurrence lies after `last` and not after `now`; both timezone-aware UTC."""
    return next_after(schedule, last) <= now


def next_after(schedule: str, last: datetime) -> datetime:
    """Return the first occurrence after an instant; both timezone-aware UTC."""
    following: datetime = _iterator(schedule, last).get_next(datetime)
    return following


def _iterator(schedule: str, start: datetime) -> croniter:
    return croniter(schedule, start, second_at_beginning=True, day_or=False)
