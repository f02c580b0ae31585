"""Publishing by the local environment: waiting for a place to train costs none of its time, and is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local import publishing
from local.examples import Example
from local.programs import studio_settings
from local.publishing import publish
from local.state import StateFolder
from shared.secret import Secret
from studio.batch.training_slot import TrainingSlots, n_cores, n_slots_on

DATA = Path(__file__).parents[1] / "data"
_WAITS = """
import sys, time
for _ in range(8):
    print("python -m studio: waiting for one of 1 training slots", file=sys.stderr, flush=True)
    time.sleep(0.5)
print("{}")
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.open()
    yield folder
    folder.close()


@pytest.fixture
def example(tmp_path: Path) -> Example:
    early = tmp_path / "early.csv"
    rows = (f"{18 + n % 60},{10 + n % 50},clerk,{'>50K' if n % 60 > 30 else '<=50K'}" for n in range(300))
    early.write_text("\n".join(["age,hours,job,income", *rows]) + "\n", encoding="utf-8")
    return Example("income", "Income", DATA / "income.toml", early, early)


def test_a_model_is_published_once_a_place_is_free_and_the_wait_is_told(
    state: StateFolder, example: Example, azurite: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The places are files in the temporary directory, which is this test's own here.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    held = [TrainingSlots(directory=tmp_path / f"studio-slots-{os.getuid()}") for _ in range(n_slots_on(n_cores()))]
    assert all(slots.take() for slots in held)
    settings = studio_settings(Secret(azurite.connection_string), "http://127.0.0.1:9", state.keys())
    said: list[str] = []

    def free() -> None:
        for slots in held:
            slots.free()

    def free_once_told(text: str) -> None:
        said.append(text)
        free()

    untold = threading.Timer(20, free)
    untold.start()
    publication = publish(state, settings, example, free_once_told)
    untold.cancel()

    assert said == [f"  waiting for one of {len(held)} training slots… 0 s"]
    assert set(publication.endpoints) == {"default", "live", "staging"}
    assert state.read("publication-income.json")["url"] == "http://127.0.0.1:9"


def test_who_waits_may_take_longer_than_the_time_for_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_SILENCE_S", 2.0)
    said: list[str] = []

    printed = publishing._printed([sys.executable, "-c", _WAITS], os.environ, tmp_path / "log", said.append)

    assert printed == b"{}\n"
    assert said == ["  waiting for one of 1 training slots"] * 8
    assert (tmp_path / "log").read_text(encoding="utf-8").count("waiting") == 8


def test_who_says_nothing_for_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_SILENCE_S", 0.5)
    began = time.monotonic()

    with pytest.raises(subprocess.TimeoutExpired):
        publishing._printed(
            [sys.executable, "-c", "import time; time.sleep(60)"], os.environ, tmp_path / "log", lambda _: None
        )

    assert time.monotonic() - began < 30
