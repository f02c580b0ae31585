"""Reads the cells of rows to be scored: any JSON scalar as text, and text as the number that the trees expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, nan

import orjson

from studio.engine.booleans import SPELLINGS
from studio.engine.errors import shown
from studio.engine.number_text import number_text

Cell = str | None
Row = Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the cells of one feature: one of them, or those of many rows, with the same result."""

    one: Callable[[Cell], float]
    many: Callable[[Row], list[float]]


def as_text(cell: object) -> Cell:
    """
    Write a cell as text, None where it is null.

    Raises:
        ValueError: It is no text, number, boolean or null.
    """
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, int):
        return str(cell)  # True and False too, as the classic service spelled them
    if isinstance(cell, float):
        text = number_text(cell)
        return text if float(text) == cell or cell != cell else repr(cell)
    raise ValueError(f"expected a text, a number, a boolean or null, got {shown(cell)}")


def level_reader(levels: Sequence[str], missing: Iterable[str], fill: str | None, *, allow_unknown: bool) -> Reader:
    """
    Read a category as its position in `levels`, NaN where it is missing and has no fill.

    The reader raises KeyError for an unknown level, unless those are allowed: then they count as missing.
    """
    codes: dict[Cell, float] = {level: float(at) for at, level in enumerate(levels)}
    for spelling in ("True", "False"):  # a bare boolean in a call, a text of any case in the training file
        same = [code for level, code in codes.items() if str(level).lower() == spelling.lower()]
        if len(same) == 1:
            codes.setdefault(spelling, same[0])
    absent = nan if fill is None else codes[fill]
    codes |= dict.fromkeys((*missing, None), absent)
    one = (_Lenient(codes) if allow_unknown else codes).__getitem__
    return Reader(one, lambda cells: list(map(one, cells)))


class _Lenient(dict[Cell, float]):
    def __missing__(self, level: Cell) -> float:
        return nan


def number_reader(missing: Iterable[str], fill: float | None, *, whole: bool) -> Reader:
    """
    Read a finite number, and only a whole one where `whole`; `fill`, or NaN, stands for a missing one.

    The reader raises ValueError for anything else.
    """
    absent = nan if fill is None else fill
    known = dict.fromkeys((*missing, None), absent)
    is_fit = float.is_integer if whole else isfinite

    def one(cell: Cell) -> float:
        found = known.get(cell)
        if found is not None:
            return found
        value = float(cell or "")
        if is_fit(value) and "_" not in (cell or ""):
            return value
        if value != value:
            return absent
        raise ValueError(cell)

    types: set[type] = {int} if whole else {int, float}
    numeric_missing = frozenset(filter(_is_number, known))

    def many(cells: Row) -> list[float]:
        values = _json_numbers(cells, types)
        if values is None or not numeric_missing.isdisjoint(cells):
            return list(map(one, cells))
        return values

    return Reader(one, many)


def boolean_reader(missing: Iterable[str], fill: float | None) -> Reader:
    """
    Read truth as 1 or 0; `fill`, or NaN, stands for a missing one.

    The reader raises KeyError for anything else.
    """
    codes: dict[Cell, float] = {spelling: float(value) for spelling, value in SPELLINGS.items()}
    one = (codes | dict.fromkeys((*missing, None), nan if fill is None else fill)).__getitem__
    return Reader(one, lambda cells: list(map(one, cells)))


def is_nan(cell: Cell) -> bool:
    """Whether a cell spells NaN, which a number column takes for missing."""
    return (cell or "").strip().lower().lstrip("+-") == "nan"


def _json_numbers(cells: Row, types: set[type]) -> list[float] | None:
    """Read cells as JSON, a third of the time of `float`; None where they are not all plain numbers of these types."""
    try:
        values: list[float] = orjson.loads(f"[{','.join(cells)}]")  # type: ignore[arg-type]  # None is a TypeError
    except (TypeError, orjson.JSONDecodeError):
        return None
    return values if len(values) == len(cells) and types.issuperset(map(type, values)) else None


def _is_number(cell: Cell) -> bool:
    try:
        float(cell or "")
    except ValueError:
        return False
    return True
