"""The cells of one column, many at once: which are missing, and which are not what the contract says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from shared.domain.contract import Column, Contract, Kind


class ColumnCheck:
    """Checks one column's cells; counts the missing ones."""

    def __init__(self, column: Column, contract: Contract) -> None:
        self.name = column.name
        self.max_missing = column.max_missing
        self.count_missing = 0
        self._missing, self._values = contract.missing, column.values
        self._required = column.required or column.name == contract.label
        self._parse = _PARSERS.get(column.kind)
        self._expected = _expectation(column)

    def problems(self, cells: Sequence[str]) -> list[tuple[int, str]]:
        """Return position and expectation of every cell that is not as it should be."""
        texts = list(map(str.strip, cells))
        absent = sum(map(self._missing.__contains__, texts))
        self.count_missing += absent
        if self._is_fine(texts, absent):
            return []
        found = ((at, self._problem(text)) for at, text in enumerate(texts))
        return [(at, expected) for at, expected in found if expected]

    def _is_fine(self, texts: list[str], absent: int) -> bool:
        """Judge a whole column at once, which is several times faster than cell by cell; False means look closer."""
        if absent:
            if self._required:
                return False
            texts = [text for text in texts if text not in self._missing]
        if self._values and not self._values.issuperset(texts):
            return False
        if self._parse is None:
            return True
        try:
            self._parse(texts)
        except ValueError:
            return False
        return True

    def _problem(self, text: str) -> str:
        if text in self._missing:
            return f"{self._expected}; it may not be missing" if self._required else ""
        return "" if self._is_fine([text], 0) else self._expected


def _expectation(column: Column) -> str:
    if column.values:
        listed = sorted(column.values)
        more = f" and {len(listed) - 8} more" if len(listed) > 8 else ""
        return f"one of {', '.join(listed[:8])}{more}"
    return f"a{'n' if column.kind is Kind.INTEGER else ''} {column.kind.value}"


def _numbers(texts: list[str]) -> None:
    _plain(texts)
    if not all(map(math.isfinite, map(float, texts))):
        raise ValueError("not finite")


def _integers(texts: list[str]) -> None:
    _plain(texts)
    for text in texts:
        int(text)


def _plain(texts: list[str]) -> None:
    # Python reads 1_000 and other scripts' digits as numbers; no other reader of CSV does.
    together = "".join(texts)
    if "_" in together or not together.isascii():
        raise ValueError("not plain")


_PARSERS: dict[Kind, Callable[[list[str]], None]] = {Kind.NUMBER: _numbers, Kind.INTEGER: _integers}
