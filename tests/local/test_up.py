"""`up` and `drop` on live parts: what is kept, what is stopped, what is said."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.places import ROOT

_DEADLINE_S = 120.0
Local = Callable[..., subprocess.CompletedProcess[str]]


class Up:
    """A running `python -m local up`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self._said = folder.with_suffix(".out")
        with self._said.open("w") as out:
            command = [sys.executable, "-m", "local", "up", "--state", str(folder), *options]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)  # noqa: S603

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def wait_for(self, pattern: str) -> re.Match[str]:
        until = time.monotonic() + _DEADLINE_S
        while time.monotonic() < until:
            found = re.search(pattern, self.said)
            if found:
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.1)
        raise AssertionError(f"'{pattern}' did not appear in:\n{self.said}")

    def parts(self) -> dict[str, int]:
        """Process ids by a word of their command line, of the programs that `up` started."""
        listed = subprocess.run(["/bin/ps", "-wweo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        words = ("azurite", "studio", "local.host")
        mine = [(int(pid), args) for pid, parent, args in rows if parent == str(self.process.pid)]
        return {word: pid for pid, args in mine for word in words if word in args}

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(_DEADLINE_S)


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Up]:
    up = Up(folder, *options)
    try:
        up.wait_for("Ctrl-C stops everything")
        yield up
    finally:
        up.process.kill()
        up.process.wait()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def all_end(pids: Iterable[int]) -> bool:
    pending, until = list(pids), time.monotonic() + _DEADLINE_S
    while pending and time.monotonic() < until:
        pending = [pid for pid in pending if alive(pid)]
        time.sleep(0.05)
    return not pending


def test_a_dropped_file_is_followed_to_its_promotion_and_kept_for_the_next_start(tmp_path: Path, local: Local) -> None:
    folder = tmp_path / "state"
    with running(folder) as up:
        larger = folder / "files" / "larger.csv"
        dropped = local("drop", str(larger), "--state", str(folder))
        up.wait_for(r"run census-\S+: PROMOTED")
        parts = up.parts()
        scoring = up.wait_for(r"live +(\S+)/execute")[1]
        code = up.interrupt()

    assert dropped.returncode == 0, dropped.stderr
    assert code == 0, up.said
    assert parts.keys() == {"azurite", "studio", "local.host"}
    assert all_end(parts.values())
    with running(folder) as again:
        assert again.wait_for(r"live +(\S+)/execute")[1] == scoring
        assert "Publishing" not in again.said
        repeated = local("drop", str(larger), "--name", "again.csv", "--state", str(folder))
        again.wait_for(r"census/again\.csv: DUPLICATE")
    assert repeated.returncode == 0


@pytest.mark.parametrize(
    ("word", "name"),
    [("azurite", "storage emulator"), ("studio", "studio service"), ("local.host", "functions host")],
)
def test_when_a_part_dies_the_others_are_stopped_and_it_is_named(tmp_path: Path, word: str, name: str) -> None:
    with running(tmp_path / "state") as up:
        parts = up.parts()

        os.kill(parts[word], signal.SIGKILL)
        code = up.process.wait(_DEADLINE_S)

    assert code == 1
    assert f"the {name} has ended by itself" in up.said
    assert all_end(parts.values())


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "state") as up:
        parts = up.parts()
        up.process.kill()

    assert parts.keys() == {"azurite", "studio", "local.host"}
    assert all_end(parts.values())


def test_dropping_without_an_environment_says_how_to_start_one(tmp_path: Path, local: Local) -> None:
    data = tmp_path / "new.csv"
    data.write_text("a\n1\n", encoding="utf-8")

    done = local("drop", str(data), "--state", str(tmp_path / "state"))

    assert done.returncode == 1
    assert done.stderr == "no environment is running here: start one with `make up` in another terminal\n"


def test_dropping_for_an_unknown_model_names_the_known_ones(tmp_path: Path, local: Local) -> None:
    (tmp_path / "running.json").write_text(json.dumps({"storage": "x", "models_file": str(ROOT / "models.toml")}))

    done = local("drop", "new.csv", "--model", "weather", "--state", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == "there is no model 'weather' in models.toml; declared are census\n"


def test_a_taken_port_is_one_sentence(tmp_path: Path, local: Local) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = local("up", "--state", str(tmp_path / "state"), "--port", port)

    assert done.returncode == 1
    assert done.stderr.startswith(f"port {port} is in use: stop the program that has it")
