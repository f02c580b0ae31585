"""
Logging as events: the message is a past-tense name, the fields are JSON rendered into the message.

The Python worker of Azure Functions forwards only a record's formatted message: fields passed as `extra` would be lost.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

# A token or key that reaches a field by way of an error text of somebody else's library. None holds a backslash, which
# in encoded text begins an escape.
_CREDENTIAL = re.compile(r"(?ai)(sig=|accountkey=|sharedaccesssignature=|bearer\s+)[^\s&;\"'\\]+")

# What each alternative above holds: looking for these is twenty times quicker than the pattern, and mostly enough.
_MARKS = ("sig=", "accountkey=", "sharedaccesssignature=", "bearer")

_kept_by: ContextVar[Callable[[Callable[[], None]], None] | None] = ContextVar("kept_by", default=None)
_encoder = json.JSONEncoder(ensure_ascii=False, default=str)


def event(log: logging.Logger, name: str, /, *, level: int = logging.INFO, **fields: Any) -> None:
    """
    Log one event, for example `run.advanced` with `run_id`, `state_from` and `state_to`.

    Args:
        name: Event name, `noun.past_participle`.
        level: `WARNING` when a person may want to know, `ERROR` when a promise was not kept.
        fields: Facts; credentials in texts are masked.
    """
    if log.isEnabledFor(level):
        say = partial(log.log, level, "%s %s", name, masked(_encoder.encode(_plain(fields))))
        keep = _kept_by.get()
        keep(say) if keep else say()


@contextmanager
def kept(keep: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Have the events of this context handed to `keep`, to be said elsewhere, by calling them."""
    token = _kept_by.set(keep)
    try:
        yield
    finally:
        _kept_by.reset(token)


def surprise(log: logging.Logger, name: str, /, **fields: Any) -> None:
    """Log an exception that nobody foresaw, and that is not passed on, as an event: ERROR, with where it was raised."""
    event(log, name, level=logging.ERROR, **fields, trace=traceback.format_exc())


def masked(text: str) -> str:
    """Cut signatures, account keys and bearer tokens out of a text."""
    lowered = text.lower()
    return _CREDENTIAL.sub(r"\1****", text) if any(mark in lowered for mark in _MARKS) else text


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
