"""Plain-text tables: columns side by side where they fit the terminal, one record below the other where they do not."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence

_GAP = "  "
_LEAST = 24  # characters for the last column, which is wrapped
_UNLIMITED = 100_000


def terminal_width() -> int:
    """Return the columns of the terminal; no limit where the output goes to a file or a program."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else _UNLIMITED


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """
    Lay rows out under headings; nothing is cut off.

    Args:
        width: Columns to use. The last column is wrapped into what the others leave; where that is too little, each
            row becomes a block of lines.
    """
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    left = width - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1)
    if left < min(widths[-1], _LEAST):
        return "\n\n".join(facts(list(zip(headings, row, strict=True)), width) for row in cells)
    return "\n".join(line for row in [headings, *cells] for line in _lines(row, widths, left))


def facts(pairs: Sequence[tuple[str, str]], width: int) -> str:
    """Lay one record out as names and values, one below the other; empty values are left out."""
    shown = [(name, visible(value)) for name, value in pairs if value]
    indent = max((len(name) for name, _ in shown), default=0) + len(_GAP)
    room = max(width - indent, _LEAST)
    lines = []
    for name, value in shown:
        first, *rest = wrapped(value, room)
        lines += [f"{name:<{indent}}{first}", *(" " * indent + line for line in rest)]
    return "\n".join(lines)


def visible(text: str) -> str:
    """Make control characters visible: a file's name must not move the cursor or colour the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _lines(row: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    *fixed, last = row
    head = "".join(f"{cell:<{width}}{_GAP}" for cell, width in zip(fixed, widths, strict=False))
    first, *rest = wrapped(last, left)
    return [(head + first).rstrip(), *(" " * len(head) + line for line in rest)]


def wrapped(text: str, room: int) -> list[str]:
    """Break a text into lines of at most so many characters, control characters made visible."""
    return textwrap.wrap(visible(text), max(room, 1), break_on_hyphens=False) or [""]
