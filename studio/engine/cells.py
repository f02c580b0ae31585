"""Reads the cells of a row to be scored: any JSON scalar as text, and text as the number that the trees expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite, nan

from studio.engine.errors import shown
from studio.engine.number_text import number_text

Cell = str | None
Reader = Callable[[Cell], float]


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
    return (_Lenient(codes) if allow_unknown else codes).__getitem__


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

    def read(cell: Cell) -> float:
        found = known.get(cell)
        if found is not None:
            return found
        value = float(cell or "")
        if is_fit(value) and "_" not in (cell or ""):
            return value
        if value != value:
            return absent
        raise ValueError(cell)

    return read
