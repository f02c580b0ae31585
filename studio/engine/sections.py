"""Reads the sections of a TOML declaration, collecting problems instead of stopping at the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.engine.errors import shown
from studio.engine.settings import AnyRule, Setting

_MISSING = object()
_MAX_PROBLEMS = 100
_SHOWN_CHARACTERS = 60


class Section:
    """
    One table of a declaration.

    Every read takes a default that stands in when the key is absent or wrong, so that reading can go on; each wrong,
    absent or unknown key adds one sentence to `problems`, which all sections of a declaration share.
    """

    def __init__(self, values: Mapping[str, object], path: str = "", problems: list[str] | None = None) -> None:
        self.values = values
        self.path = path
        self.problems: list[str] = [] if problems is None else problems
        self._read: set[str] = set()

    def section(self, key: str, *, required: bool = False) -> Section:
        """Open the table under `key`; an empty one when it is absent."""
        value = self._take(key, required)
        if value is not _MISSING and not isinstance(value, dict):
            self.report(key, f"expected a table [{self._where(key)}], got {shown(value)}")
        return Section(value if isinstance(value, dict) else {}, self._where(key), self.problems)

    def text(self, key: str, default: str | None = None) -> str:
        """Read a text that is not blank; required when there is no default."""
        value = self._take(key, default is None)
        if isinstance(value, str) and value.strip():
            return value
        if value is not _MISSING:
            self.report(key, f"expected a text, got {shown(value)}")
        return default or ""

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Read a list of texts."""
        value = self._take(key, required=False)
        if value is _MISSING:
            return default
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.report(key, f"expected a list of texts, got {shown(value)}")
        return default

    def counts(self, key: str, most: int, high: int) -> tuple[int, ...]:
        """Read a required list of 1 to `most` whole numbers from 1 to `high`."""
        value = self._take(key, required=True)
        if (
            isinstance(value, list)
            and 0 < len(value) <= most
            and all(type(one) is int and 0 < one <= high for one in value)
        ):
            return tuple(value)
        if value is not _MISSING:
            self.report(key, f"expected 1 to {most} whole numbers from 1 to {high}, got {shown(value)}")
        return (1,)

    def choice(self, key: str, options: tuple[str, ...]) -> str:
        """Read one of a few texts; required."""
        value = self.text(key)
        if value and value not in options:
            self.report(key, f"expected one of {list(options)}, got {shown(value)}")
        return value if value in options else options[0]

    def flag(self, key: str) -> bool:
        """Read a true or false that is false when absent."""
        value = self._take(key, required=False)
        if value is _MISSING or isinstance(value, bool):
            return value is True
        self.report(key, f"expected true or false, got {shown(value)}")
        return False

    def settings(self, rules: Mapping[str, AnyRule]) -> dict[str, Setting]:
        """Read one setting per rule, under the rule's name."""
        found: dict[str, Setting] = {name: rule.default for name, rule in rules.items()}
        for name, rule in rules.items():
            value = self._take(name, required=False)
            try:
                found[name] = found[name] if value is _MISSING else rule.accept(value)
            except ValueError as problem:
                self.report(name, str(problem))
        return found

    def items(self) -> list[tuple[str, object]]:
        """Take every key with its value, for tables whose keys are names that the declaration chooses."""
        self._read.update(self.values)
        return list(self.values.items())

    def report(self, key: str, problem: str) -> None:
        """Add one sentence about a key; beyond a hundred problems, more would help nobody."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(f"{self._where(key)}: {problem}")

    def close(self) -> None:
        """Report the keys that were given but that nothing has read."""
        known = sorted(self._read)
        for key in sorted(self.values.keys() - self._read)[:_MAX_PROBLEMS]:
            self.report(key, f"unknown key; {advice(key, known)}")

    def _take(self, key: str, required: bool) -> object:
        self._read.add(key)
        value = self.values.get(key, _MISSING)
        if value is _MISSING and required:
            self.report(key, "is required")
        return value

    def _where(self, key: str) -> str:
        name = key[:_SHOWN_CHARACTERS]
        return f"{self.path}.{name}" if self.path else name


def advice(given: str, known: Sequence[str]) -> str:
    """Say which of the known names was meant, or all of them."""
    from difflib import get_close_matches  # a good declaration needs no advice

    near = get_close_matches(given[:_SHOWN_CHARACTERS], known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known are {list(known)}"
