"""What the demonstration prints: live progress in a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

_PIPE_WIDTH = 132
_STYLES = {
    "PROMOTED": "bold green",
    "REJECTED": "bold yellow",
    "DUPLICATE": "bold cyan",
    "QUARANTINED": "bold magenta",
    "FAILED": "bold red",
}


class Timeline:
    """Prints acts, their stages with seconds since the drop, and tables."""

    def __init__(self, stream: TextIO | None = None) -> None:
        out = stream or sys.stdout
        self._console = Console(file=out, highlight=False, width=None if out.isatty() else _PIPE_WIDTH)

    def say(self, text: str = "") -> None:
        """Print one line."""
        self._console.print(Text(text), soft_wrap=True)

    def act(self, number: int, title: str) -> None:
        """Open an act."""
        self._console.print()
        self._console.print(Text(f"{number}  {title}", style="bold"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Print one line within an act."""
        self._console.print(Text(f"      {text}"), soft_wrap=True)

    def stage(self, seconds: float, name: str, text: str = "") -> None:
        """Print that a stage was reached, `seconds` after the drop."""
        line = Text.assemble(f"  {seconds:6.1f} s  ", (f"{name:<12}", _STYLES.get(name, "")), f" {text}")
        line.rstrip()
        self._console.print(line, soft_wrap=True)

    @contextmanager
    def working(self, text: str) -> Iterator[Callable[[str], None]]:
        """Show in a terminal what is waited for, and yield a function that changes it; a pipe shows nothing."""
        if not self._console.is_terminal:
            yield lambda _: None
            return
        with self._console.status(Text(text)) as status:
            yield lambda changed: status.update(Text(changed))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; cells that name an outcome stand out in a terminal."""
        table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        self._console.print()
        self._console.print(table)
