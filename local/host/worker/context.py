"""What a function may ask about its own invocation, and how log records find the invocation they belong to."""

from __future__ import annotations

import contextvars
import logging
import threading
from contextlib import suppress
from typing import Any

import azure.functions as func

from local.host.messages import Attempt, Channel, LogLine

running: contextvars.ContextVar[tuple[str, str]] = contextvars.ContextVar("running", default=("", ""))
"""Invocation id and function name of the code that runs here."""
# Functions that start threads of their own set `.invocation_id` here, through `context.thread_local_storage`.
_thread_storage = threading.local()


class InvocationContext(func.Context):
    """The `context` parameter of a function."""

    def __init__(self, function: str, directory: str, invocation: str, attempt: Attempt) -> None:
        self._function = function
        self._directory = directory
        self._invocation = invocation
        self._attempt = attempt

    @property
    def invocation_id(self) -> str:
        """The id that the host logs for this invocation."""
        return self._invocation

    @property
    def thread_local_storage(self) -> Any:
        """Set `.invocation_id` on it in threads that the function starts, so that their logs are attributed."""
        return _thread_storage

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._function

    @property
    def function_directory(self) -> str:
        """The folder of `function_app.py`."""
        return self._directory

    @property
    def trace_context(self) -> func._abc.TraceContext:
        """An empty trace: this host starts none."""
        return _NoTrace()

    @property
    def retry_context(self) -> func._abc.RetryContext:
        """Which attempt of the function's retry policy this is."""
        return _Retry(self._attempt)


class _NoTrace(func._abc.TraceContext):
    trace_state = property(lambda self: "")
    trace_parent = property(lambda self: "")
    attributes = property(lambda self: {})


class _Retry(func._abc.RetryContext):
    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    retry_count = property(lambda self: self._attempt.number)
    max_retry_count = property(lambda self: self._attempt.limit)
    exception = property(lambda self: self._attempt.failure)


class ForwardingHandler(logging.Handler):
    """
    Sends log records to the host: their formatted message only, as the real worker does.

    What a thread logs that belongs to no invocation is dropped, as the real host does (python-worker #1358, #1860).
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel
        self._has_warned = False

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record with the invocation that it was logged in."""
        invocation, function = running.get()
        invocation = invocation or getattr(_thread_storage, "invocation_id", "")
        if not invocation and threading.current_thread() is not threading.main_thread():
            if self._has_warned:
                return
            self._has_warned, record = True, _dropped(record)
        line = LogLine(invocation, function, record.levelno, record.name, self.format(record))
        with suppress(OSError):  # the host is gone, and this process will be
            self._channel.send(line)


def _dropped(record: logging.LogRecord) -> logging.LogRecord:
    said = (
        f"what '{record.threadName}' and other threads of no invocation log is dropped, as on Azure; log in the "
        "function's own thread, or set invocation_id on context.thread_local_storage"
    )
    return logging.LogRecord(record.name, logging.WARNING, record.pathname, record.lineno, said, None, None)
