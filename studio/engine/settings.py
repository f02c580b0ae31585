"""One setting of an experiment: its kind, default and range, read from a declaration or from a web service call."""

from __future__ import annotations

import re
from dataclasses import dataclass
from sys import float_info
from typing import TypeGuard

from studio.engine.errors import shown

Setting = bool | int | float | str


@dataclass(frozen=True)
class Rule:
    """What a setting may be; `low` and `high` are inclusive and do not apply to `bool`."""

    kind: type[bool] | type[int] | type[float]
    default: bool | int | float
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


@dataclass(frozen=True)
class Choice:
    """A setting that is one of a few texts; the first is the default."""

    options: tuple[str, ...]

    @property
    def default(self) -> str:
        """What stands in where nothing is given."""
        return self.options[0]

    def accept(self, value: object) -> Setting:
        """Check a value; letters of either case are welcome. Raises like `Rule.accept`."""
        for option in self.options:
            if isinstance(value, str) and value.strip().lower() == option.lower():
                return option
        raise ValueError(f"expected {self.expected}, got {shown(value)}")

    def accept_text(self, text: str) -> Setting:
        """Check a text; raises like `accept`."""
        return self.accept(text)

    @property
    def expected(self) -> str:
        """The rule in words, for error texts."""
        return "one of " + ", ".join(f"'{option}'" for option in self.options)


@dataclass(frozen=True)
class NumberList:
    """A setting that is a text of `1` to `most` numbers, separated by `;` or `,`; each number keeps to `rule`."""

    rule: Rule
    default: str
    most: int

    def accept(self, value: object) -> Setting:
        """Check a text, or a lone number; raises like `Rule.accept`."""
        text = setting_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        if not isinstance(text, str) or text.count(";") + text.count(",") >= self.most:
            raise ValueError(f"expected {self.expected}, got {shown(value)}")
        try:
            return ";".join(setting_text(self.rule.accept_text(part)) for part in _parts(text))
        except ValueError:
            raise ValueError(f"expected {self.expected}, got {shown(value)}") from None

    def accept_text(self, text: str) -> Setting:
        """Check a text; raises like `accept`."""
        return self.accept(text)

    @property
    def expected(self) -> str:
        """The rule in words, for error texts."""
        return f"1 to {self.most} numbers separated by ';', each {self.rule.expected}"


AnyRule = Rule | Choice | NumberList


def numbers_of(setting: Setting) -> tuple[float, ...]:
    """Read the value of a `NumberList` setting."""
    return tuple(map(float, _parts(str(setting))))


def setting_text(value: Setting) -> str:
    """Write a setting as web service parameters are written."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_number(value: object, *, whole: bool) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number that fits a float, and without a fraction where `whole`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= float_info.max:
        return False
    return not whole or float(value).is_integer()


def _parts(text: str) -> list[str]:
    return re.split("[;,]", text)


def _typed(kind: type[bool] | type[int] | type[float], text: str) -> object:
    try:
        return {"true": True, "false": False}.get(text.lower(), text) if kind is bool else float(text)
    except ValueError:
        return text
