"""
One log line per request, rendered by a fast JSON library and written several at a time.

Through `logging`, the line costs more than everything else that a short request needs. These lines have the form of the
others and go to the same place, at most `_WRITE_AFTER_S` seconds after the answer.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.logs import masked

_WRITE_AFTER_S = 0.05
_WRITE_AT_LINES = 512
_EVENT = "request.answered"
_LOGGER = "studio.web.observed"

_log = logging.getLogger(_LOGGER)

Layout = Callable[[float, str], str]
_Answered = tuple[float, str, str, int, float, str]


class RequestLog:
    """
    Collects lines and writes them to standard error. Used from one event loop.

    Args:
        as_json: Lines are JSON objects; else a text with an object behind it, as `event` writes it.
        clock: Returns seconds since the epoch.
    """

    def __init__(self, *, as_json: bool = False, clock: Callable[[], float] = time.time) -> None:
        self._line: Layout = _JsonLayout() if as_json else _TextLayout()
        self._clock = clock
        self._answered: list[_Answered] = []

    def add(self, request_id: str, caller_id: str, status: int, seconds: float, facts: str) -> None:
        """
        Add the line of a request that was answered just now.

        Args:
            caller_id: The caller's own id of it, empty without one; both ids need no escaping in JSON.
            seconds: How long it took.
            facts: What else is known, an object of JSON, not empty.
        """
        if not self._answered:
            asyncio.get_running_loop().call_later(_WRITE_AFTER_S, self.flush)
        self._answered.append((self._clock(), request_id, caller_id, status, seconds, facts))
        if len(self._answered) >= _WRITE_AT_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what was collected; lines that nobody takes are dropped, as `logging` drops them."""
        answered, self._answered = self._answered, []
        if not _log.isEnabledFor(logging.INFO):
            return
        lines = masked("".join([self._line(answer[0], _object(answer)) for answer in answered]))
        with suppress(OSError, ValueError):  # ValueError: the stream is closed
            sys.stderr.write(lines)
            sys.stderr.flush()


class _TextLayout:
    """The form of `python -m studio`'s other lines: time, level, logger, event and fields."""

    def __init__(self) -> None:
        self._second, self._shown = -1, ""

    def __call__(self, at: float, facts: str) -> str:
        second = int(at)
        if second != self._second:  # the date changes once in a thousand lines
            self._second, self._shown = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._shown},{int((at - second) * 1000):03d} INFO {_LOGGER} {_EVENT} {facts}\n"


class _JsonLayout:
    """The form of `log_lines.JsonLines`."""

    def __call__(self, at: float, facts: str) -> str:
        shown = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        first = facts_json({"at": shown, "level": "INFO", "logger": _LOGGER, "event": _EVENT})
        return f"{first[:-1]},{facts[1:]}\n"


def _object(answered: _Answered) -> str:
    _, request_id, caller_id, status, seconds, facts = answered
    caller = f'"client_request_id":"{caller_id}",' if caller_id else ""
    done = f'"status":{status},"duration_ms":{seconds * 1000:.3f}'
    return f'{{"request_id":"{request_id}",{caller}{done},{facts[1:]}'


def facts_json(fields: Mapping[str, Any]) -> str:
    """Write facts as one object; fields that are None are left out."""
    if None in fields.values():
        fields = {name: value for name, value in fields.items() if value is not None}
    return orjson.dumps(fields, default=str).decode()
