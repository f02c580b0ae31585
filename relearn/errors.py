"""
What can go wrong with a command, each with its exit code.

    0 done   1 the answer is no (`verify`, `doctor`)   2 wrong usage   3 not found   4 key refused
    5 refused: the request does not fit what is there   6 the function app does not answer   130 interrupted
"""

from __future__ import annotations

DONE, NO, USAGE, NOT_FOUND, NO_ACCESS, REFUSED, UNAVAILABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130


class CommandFailed(Exception):
    """A command came to nothing; the text says what, where and what to do."""

    exit_code = REFUSED


class WrongUsage(CommandFailed):
    """No address, no key, or an address that a key must not be sent to."""

    exit_code = USAGE


class NotFound(CommandFailed):
    """There is no such run, model or file."""

    exit_code = NOT_FOUND


class NoAccess(CommandFailed):
    """The key is refused."""

    exit_code = NO_ACCESS


class Refused(CommandFailed):
    """The function app understood and will not do it."""

    exit_code = REFUSED


class Unavailable(CommandFailed):
    """The function app does not answer, or has failed."""

    exit_code = UNAVAILABLE
