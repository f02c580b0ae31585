"""A text that must not be shown: it prints as asterisks and is unwrapped only where it is used."""

from __future__ import annotations

import hmac


class Secret:
    """Wraps a key, token or connection string; `reveal()` is the only way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for the call that needs it."""
        return self._text

    def matches(self, offered: str) -> bool:
        """Compare in constant time with a text that somebody else sent."""
        return hmac.compare_digest(self._text.encode(), offered.encode())

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('****')" if self._text else "Secret('')"

    __str__ = __repr__
