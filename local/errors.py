"""The one error that the local environment shows to a person."""

from __future__ import annotations


class LocalError(Exception):
    """Something that this machine or the caller must put right; the text says what, where and what to do."""
