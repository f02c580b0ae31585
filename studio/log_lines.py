"""What every process of the service writes to its log: lines for people or JSON objects, without credentials."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.logs import masked

_EVENT_NAME = re.compile(r"[a-z_]+\.[a-z_]+")


def configure_logging(*, as_json: bool = False, about: Mapping[str, str] | None = None) -> None:
    """
    Have this process's own lines, its libraries' and Python's warnings written to standard error in one form.

    Args:
        as_json: Each line is an object.
        about: Fields of every line, such as the job that the process is for.
    """
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    # The lines name neither thread nor process: finding them out costs a quarter of what a line does.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    formatter = JsonLines(about) if as_json else TextLines(about)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)


class TextLines(logging.Formatter):
    """Writes time, level, logger, and `event {fields}` or another message with the fields behind it."""

    def __init__(self, about: Mapping[str, str] | None = None) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._about = about or {}

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Put the fields of every line among those of this one."""
        if self._about:
            name, fields = _parts(record.message)
            record.message = f"{name} {json.dumps({**self._about, **fields}, ensure_ascii=False)}"
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the trace of an error below it."""
        return masked(super().format(record))


class JsonLines(logging.Formatter):
    """Writes `event {fields}` as one object; any other message, and an error's trace, as texts."""

    def __init__(self, about: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._about = about or {}

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        name, fields = _parts(record.getMessage())
        what = {"event": name} if _EVENT_NAME.fullmatch(name) else {"message": masked(name)}
        line = {"at": at, "level": record.levelname, "logger": record.name, **what, **self._about, **fields}
        if record.exc_info:
            line["trace"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def _parts(message: str) -> tuple[str, dict[str, Any]]:
    """Take `event {fields}` apart; any other message has no fields."""
    name, _, rest = message.partition(" ")
    try:
        fields = json.loads(rest)
    except ValueError:
        return message, {}
    return (name, fields) if isinstance(fields, dict) else (message, {})
