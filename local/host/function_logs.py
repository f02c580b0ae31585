"""What is logged about functions, filtered by category as `logging.logLevel` in host.json says."""

from __future__ import annotations

import logging

from local.host.host_json import HostJson
from local.host.messages import LogLine


class FunctionLogs:
    """
    The categories `Function.<name>`, where the host tells of runs, and `Function.<name>.User`, where functions speak.

    Every line begins with the invocation's id.
    """

    def __init__(self, options: HostJson) -> None:
        self._options = options

    def take(self, line: LogLine) -> None:
        """Log what the worker sent: a function's own words, or the app's outside of any function."""
        category = f"Function.{line.function}.User" if line.function else "Worker"
        self._write(category, line.level, line.invocation_id, line.text)

    def tell(self, function: str, level: int, invocation_id: str, text: str) -> None:
        """Log what the host has to say of an invocation."""
        self._write(f"Function.{function}", level, invocation_id, text)

    def _write(self, category: str, level: int, invocation_id: str, text: str) -> None:
        if level >= self._options.log_level(category):
            logging.getLogger(category).log(level, "[%s] %s", invocation_id or "-", text)
