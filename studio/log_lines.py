"""Log lines as JSON, one object each: the event's own fields beside time, level and logger."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from shared.logs import masked


class JsonLines(logging.Formatter):
    """Writes `event {fields}` as one object; any other message, and an error's trace, as texts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname, "logger": record.name, **_facts(record.getMessage())}
        if record.exc_info:
            line["trace"] = masked(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def use_json_lines() -> None:
    """Have everything that this process logs written as JSON."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(JsonLines())


def _facts(message: str) -> dict[str, Any]:
    name, _, rest = message.partition(" ")
    try:
        fields = json.loads(rest)
    except ValueError:
        return {"message": message}
    return {"event": name, **fields} if isinstance(fields, dict) else {"message": message}
