"""
What can be wrong before or while functions run.

    HostError                 the host cannot start; one message for the person at the terminal
    ├── SettingsError         local.settings.json, host.json or a setting is unusable
    └── AppError              the function app cannot be loaded
    FunctionError             one function cannot be started; the platform runs the others
    WorkerGone                the worker process ended while it ran an invocation
    FunctionTimeout           an invocation outlasted functionTimeout, which costs the worker its life
"""

from __future__ import annotations


class HostError(Exception):
    """The host cannot start."""


class SettingsError(HostError):
    """A settings file or a setting is unusable; the message names file, key and what is expected."""


class AppError(HostError):
    """The function app cannot be loaded; `trace` is where it failed."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class FunctionError(Exception):
    """One function cannot be started: a setting is missing, a schedule is wrong, a binding is not supported."""

    def __init__(self, function: str, problem: str) -> None:
        self.function = function
        self.problem = problem
        super().__init__(f"The '{function}' function is in error: {problem}")


class WorkerGone(Exception):
    """The worker process ended while it ran an invocation."""


class FunctionTimeout(Exception):
    """An invocation outlasted functionTimeout."""
