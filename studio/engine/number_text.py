"""How the classic service wrote numbers as text."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, isnan


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


def number_texts(values: Sequence[float]) -> list[str]:
    """Write many numbers, each as `number_text` does."""
    if len(values) == 1:
        return [number_text(values[0])]
    texts = ("%.15G " * len(values) % tuple(values)).split() if isfinite(sum(values)) else []
    return list(map(number_text, values)) if not texts or "-0" in texts else texts
