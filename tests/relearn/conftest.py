"""The command line against a scripted function app."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted_app import KEY, Outcome, Relearn, ScriptedApp

from relearn.__main__ import main


@pytest.fixture
def app() -> Iterator[ScriptedApp]:
    with ScriptedApp() as app:
        yield app


@pytest.fixture
def relearn(app: ScriptedApp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Relearn:
    """Run a command against the scripted app."""
    monkeypatch.setenv("RELEARN_URL", app.url)
    monkeypatch.setenv("RELEARN_KEY", KEY)

    def run(*arguments: str) -> Outcome:
        code = main(arguments)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return run
