from __future__ import annotations

import io
import os
import pty

import pytest

from local.timeline import Timeline


def test_a_pipe_gets_plain_lines_that_are_never_broken() -> None:
    screen = io.StringIO()
    timeline = Timeline(screen)
    long = "reason " * 60

    timeline.act(2, "A larger file is dropped")
    with timeline.working("waiting") as update:
        update("still waiting")
        timeline.stage(12.345, "PROMOTED", long)

    assert screen.getvalue() == f"\n2  A larger file is dropped\n    12.3 s  PROMOTED     {long.rstrip()}\n"


def test_a_table_keeps_every_cell() -> None:
    screen = io.StringIO()

    Timeline(screen).table(
        "What became", ("file", "outcome"), [("larger.csv", "PROMOTED"), ("[b]odd[/b].csv", "DUPLICATE")]
    )

    lines = [line.split() for line in screen.getvalue().splitlines()]
    assert ["larger.csv", "PROMOTED"] in lines
    assert ["[b]odd[/b].csv", "DUPLICATE"] in lines
    assert "\x1b" not in screen.getvalue()


def test_a_terminal_gets_live_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    outside, inside = pty.openpty()

    with os.fdopen(inside, "w") as terminal:
        with Timeline(terminal).working("waiting for larger.csv"):
            pass
        terminal.write("the end")
        terminal.flush()
        said = _read_until(outside, "the end")
    os.close(outside)

    assert "\x1b[" in said
    assert "waiting for larger.csv" in said


def _read_until(terminal: int, end: str) -> str:
    said = ""
    while end not in said:
        said += os.read(terminal, 4096).decode()
    return said
