"""One setting of an experiment: its kind, default and range, read from a declaration or from a web service call."""

from __future__ import annotations

from dataclasses import dataclass
from sys import float_info
from typing import TypeGuard

from studio.engine.errors import shown

Setting = bool | int | float


@dataclass(frozen=True)
class Rule:
    """What a setting may be; `low` and `high` are inclusive and do not apply to `bool`."""

    kind: type[bool] | type[int] | type[float]
    default: Setting
    low: float = 0
    high: float = 2**31 - 1

    def accept(self, value: object) -> Setting:
        """
        Check a typed value, as a declaration holds it.

        Raises:
            ValueError: Its text says what was expected and what came.
        """
        if self.kind is bool and isinstance(value, bool):
            return value
        if self.kind is not bool and is_number(value, whole=self.kind is int) and self.low <= value <= self.high:
            return self.kind(value)  # a whole number is welcome where a float is asked for
        raise ValueError(f"expected {self.expected}, got {shown(value)}")

    def accept_text(self, text: str) -> Setting:
        """Check a text, as a web service parameter holds it; raises like `accept`."""
        return self.accept(_typed(self.kind, text.strip()))

    @property
    def expected(self) -> str:
        """The rule in words, for error texts."""
        if self.kind is bool:
            return "true or false"
        return f"a {'whole ' if self.kind is int else ''}number from {self.low:g} to {self.high:.10g}"


def setting_text(value: Setting) -> str:
    """Write a setting as web service parameters are written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_number(value: object, *, whole: bool) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number that fits a float, and without a fraction where `whole`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= float_info.max:
        return False
    return not whole or float(value).is_integer()


def _typed(kind: type[bool] | type[int] | type[float], text: str) -> object:
    try:
        return {"true": True, "false": False}.get(text.lower(), text) if kind is bool else float(text)
    except ValueError:
        return text
