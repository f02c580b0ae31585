"""
One table of `models.toml`, read by key and type; what is wrong with it is noted, by key and reason.

`%NAME%` stands for the app setting NAME. Keys must be written that way: a key in the file itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any, TypeVar
from urllib.parse import urlsplit

from shared.secret import Secret

_SETTING = re.compile(r"%([A-Za-z_][A-Za-z0-9_]*)%")
_T = TypeVar("_T")


class Section:
    """Takes a table's values by key and type, and notes what is wrong with them."""

    def __init__(self, at: str, values: Mapping[str, Any], environment: Mapping[str, str], problems: list[str]) -> None:
        self.at, self._values, self._environment, self._problems = at, values, environment, problems
        self._taken: set[str] = set()

    def key(self, name: str) -> str:
        """Name a key with the path of the sections around it."""
        return f"{self.at}.{name}" if self.at else name

    def wrong(self, name: str, reason: str) -> None:
        """Note a problem with a key."""
        self._problems.append(f"{self.key(name)}: {reason}")

    def take(self, name: str, kind: type[_T] | tuple[type[_T], ...], default: _T | None) -> _T:
        """Take a value; a missing one without a default is a problem."""
        self._taken.add(name)
        value = self._values.get(name)
        if value is None:
            if default is None:
                self.wrong(name, "is missing")
            return default  # type: ignore[return-value]  # the problem just noted ends the load
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            self.wrong(
                name, f"expected {' or '.join(_WORDS[k] for k in kinds)}, got {_WORDS.get(type(value), 'a value')}"
            )
            return default  # type: ignore[return-value]
        return value

    def number(self, name: str, default: float | None, low: float = -1e308, high: float = 1e308) -> float:
        """Take a number within its range; where it is none, or beyond it, something usable comes back."""
        value = _float(self.take(name, (int, float), default) or 0)
        is_given = default is not None or name in self._values
        if low <= value <= high or not is_given:
            return value
        within = (
            f"from {low:g} to {high:g}" if high < 1e308 else f"of at least {low:g}" if low > -1e308 else "that is one"
        )
        self.wrong(name, f"expected a number {within}, got {value:g}")
        return default if default is not None else max(low, 0.0)

    def integer(self, name: str, default: int, low: int, high: float = 1e308) -> int:
        """Take a whole number within its range."""
        value = self.number(name, default, low, high)
        if value != int(value):
            self.wrong(name, f"expected a whole number, got {value:g}")
        return int(value)

    def choice(self, name: str, options: Iterable[str], default: str) -> str:
        """Take one of the given texts."""
        value, known = self.text(name, default), list(options)
        if value not in known:
            self.wrong(name, f"expected one of {', '.join(known)}, got '{value}'")
            return default
        return value

    def holds(self, name: str) -> bool:
        """Whether a value is there under this key."""
        return name in self._values

    def holds_table(self, name: str) -> bool:
        """Whether a table is there under this key."""
        return isinstance(self._values.get(name), dict)

    def holds_text(self, name: str) -> bool:
        """Whether a text is there under this key."""
        return isinstance(self._values.get(name), str)

    def beside(self, file: str, values: Mapping[str, Any]) -> Section:
        """Open the content of another file, whose problems are noted with this one's."""
        return Section(file, values, self._environment, self._problems)

    def nothing(self, name: str) -> Section:
        """Open an empty table where what is wrong has been noted already."""
        return Section(self.key(name), {}, self._environment, [])

    def table(self, name: str, default: dict[str, Any] | None) -> dict[str, Any]:
        """Take a table; empty where it is missing."""
        return self.take(name, dict, default) or {}

    def section(self, name: str, default: dict[str, Any] | None = None) -> Section:
        """Open a table below this one; where it is missing altogether, that one problem says enough."""
        values = self.table(name, default)
        silent = default is None and name not in self._values
        return Section(self.key(name), values, self._environment, [] if silent else self._problems)

    def entry(self, table: str, defaults: Mapping[str, Any], name: str) -> Section:
        """Open one entry of a table of sections, laid over the defaults."""
        values = self.table(table, None)[name]
        if not isinstance(values, dict):
            self.wrong(f"{table}.{name}", "expected a section")
        merged = _merged(defaults, values if isinstance(values, dict) else {})
        return Section(self.key(f"{table}.{name}"), merged, self._environment, self._problems)

    def text(self, name: str, default: str | None = None, *, resolved: bool = False) -> str:
        """Take a text; only where `resolved`, for addresses and keys, do its `%NAME%` references mean settings."""
        written = self.take(name, str, default) or ""
        if not resolved:
            return written
        for setting in _SETTING.findall(written):
            if not self._environment.get(setting):
                self.wrong(name, f"refers to the app setting {setting}, which is not set")
        return _SETTING.sub(lambda found: self._environment.get(found[1], ""), written)

    def secret(self, name: str) -> Secret:
        """Take a secret, which must be a reference to an app setting."""
        written = self.take(name, str, None) or ""
        if written and not _SETTING.fullmatch(written):
            self.wrong(name, "holds a secret; write '%NAME%' and put the secret into the app setting NAME")
            return Secret("")
        return Secret(self.text(name, resolved=True)) if written else Secret("")

    def url(self, name: str) -> str:
        """Take an address: https, or http on this machine."""
        address = self.text(name, resolved=True)
        try:
            parts = urlsplit(address)
        except ValueError as unreadable:
            self.wrong(name, f"is no address: {unreadable}")
            return ""
        local = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if address and not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            self.wrong(name, "expected an https address (http only on this machine)")
        return address.rstrip("/")

    def close(self) -> None:
        """Note keys that nobody took: most are misspelt."""
        for name in self._values.keys() - self._taken:
            self.wrong(name, f"is not known here; known are {', '.join(sorted(self._taken))}")


_WORDS: dict[type, str] = {
    str: "a text", int: "an integer", float: "a number", bool: "a boolean", dict: "a section", list: "a list",
}  # fmt: skip


def _merged(defaults: Mapping[str, Any], section: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a model's section over the defaults, table by table."""
    merged = dict(defaults)
    for key, value in section.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both else value  # type: ignore[arg-type]
    return merged


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        return inf
