"""Timer schedules: NCRONTAB expressions of six fields, in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from croniter import CroniterError, croniter

_MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_VALUE = r"(?:\d+|[A-Za-z]+)"
_ITEM = re.compile(rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/\d+)?")
_NAME = re.compile(r"[A-Za-z]+")
_STEP = re.compile(r"/\d+")
_TIME_SPAN = re.compile(r"(\d+\.)?\d{1,2}:\d\d(:\d\d)?")


class Schedule:
    """
    When a timer fires.

    Fields are `{second} {minute} {hour} {day} {month} {day of week}`; five fields mean second 0. Day and day of week
    must both match; days of the week are 0 (Sunday) to 6. Source: NCrontab, which the platform uses; croniter, which
    computes the times here, takes more and is held back.

    Raises:
        ValueError: Not such an expression, or one that never fires.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        if _TIME_SPAN.fullmatch(text):
            raise ValueError(f"schedule '{text}' is a time span, which only App Service plans take; use NCRONTAB")
        fields = text.split()
        self._fields = ["0", *fields] if len(fields) == 5 else fields
        if len(self._fields) != 6:
            raise ValueError(f"schedule '{text}' must have six fields: second minute hour day month day-of-week")
        self._expression = " ".join(self._checked(at, field) for at, field in enumerate(self._fields))
        self.next_after(datetime.now(UTC))

    def next_after(self, moment: datetime) -> datetime:
        """Return the first time after a moment; both are timezone-aware UTC."""
        try:
            ticks = croniter(self._expression, moment, second_at_beginning=True, day_or=False)
            return ticks.get_next(datetime)  # type: ignore[no-any-return]
        except CroniterError as error:
            raise ValueError(f"schedule '{self.text}' is not an NCRONTAB expression: {error}") from error

    @property
    def is_too_frequent_to_monitor(self) -> bool:
        """Whether it fires more than once in every minute; the platform then keeps no status."""
        seconds, *others = self._fields
        return not seconds.isdigit() and all(field == "*" for field in others)

    def _checked(self, at: int, field: str) -> str:
        """Return a field with names turned into numbers."""
        for item in field.split(","):
            if not _ITEM.fullmatch(item):
                raise ValueError(f"schedule '{self.text}': '{item}' is not known; L, W, #, ? and @ are not NCRONTAB")
        field = _NAME.sub(lambda name: str(self._number(name[0], at)), field)
        if at == 5 and any(int(day) > 6 for day in re.findall(r"\d+", _STEP.sub("", field))):
            raise ValueError(f"schedule '{self.text}': days of the week are 0 (Sunday) to 6")
        return field

    def _number(self, name: str, at: int) -> int:
        """Look a name up by its beginning, in any case."""
        names: Sequence[str] = {4: _MONTHS, 5: _DAYS}.get(at, ())
        for number, full in enumerate(names, start=1 if at == 4 else 0):
            if full.startswith(name.lower()):
                return number
        raise ValueError(f"schedule '{self.text}': '{name}' is not a name of a month or day where it stands")
