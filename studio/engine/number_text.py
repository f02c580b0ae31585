"""How the classic service wrote numbers as text."""

from __future__ import annotations

from math import inf, isnan


def number_text(value: float) -> str:
    """
    Write a number with up to 15 significant digits: `0.922785222530365`, `1.23406681461624E-06`, `Infinity`, `NaN`.

    Source: recorded output, docs/protocol.md.
    """
    if isnan(value):
        return "NaN"
    if value in (inf, -inf):
        return "Infinity" if value > 0 else "-Infinity"
    return f"{value + 0.0:.15G}"  # the sum turns -0.0 into 0.0, which has no sign here
