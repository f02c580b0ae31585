from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.errors import LocalError
from local.part import Part
from local.places import ROOT
from local.programs import surroundings
from local.state import StateFolder

_DEADLINE_S = 20.0
_SERVE = """
import http.server, sys
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(tmp_path / "state")
    folder.open()
    yield folder
    folder.close()


def part(state: StateFolder, *command: str) -> Part:
    return Part("the thing", [sys.executable, *command], surroundings({}), state.path, state.logs / "thing.log")


def ended(pid: int) -> bool:
    until = time.monotonic() + _DEADLINE_S
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_a_part_is_ready_once_its_address_answers_and_gone_once_stopped(state: StateFolder) -> None:
    port = state.port("thing")
    server = part(state, "-c", _SERVE, str(port))

    server.start()
    server.wait_until_ready(f"http://127.0.0.1:{port}/", within_s=_DEADLINE_S)
    pid = server.pid
    server.stop()

    assert pid is not None
    assert ended(pid)
    assert server.pid is None


def test_a_part_that_ends_by_itself_is_named_with_the_end_of_its_log(state: StateFolder) -> None:
    failing = part(state, "-c", "print('the shelf is empty'); raise SystemExit(3)")

    failing.start()

    with pytest.raises(
        LocalError, match=r"(?s)the thing has ended by itself \(exit code 3\).*thing\.log.*shelf is empty"
    ):
        failing.wait_until_ready("http://127.0.0.1:9/", within_s=_DEADLINE_S)
    failing.stop()


def test_a_killed_part_is_reported_by_its_signal(state: StateFolder) -> None:
    sleeping = part(state, "-c", "import signal; signal.pause()")
    sleeping.start()
    assert sleeping.pid is not None

    os.kill(sleeping.pid, signal.SIGKILL)

    with pytest.raises(LocalError, match=r"ended by itself \(SIGKILL\)"):
        sleeping.wait_until_ready("http://127.0.0.1:9/", within_s=_DEADLINE_S)
    sleeping.stop()


def test_another_part_s_death_ends_the_waiting(state: StateFolder) -> None:
    sleeping = part(state, "-c", "import signal; signal.pause()")
    sleeping.start()

    def dead() -> None:
        raise LocalError("the other one has ended")

    with pytest.raises(LocalError, match="the other one"):
        sleeping.wait_until_ready("http://127.0.0.1:9/", within_s=_DEADLINE_S, check=dead)
    sleeping.stop()


def test_a_program_that_does_not_exist_is_one_sentence(state: StateFolder) -> None:
    absent = Part("the thing", ["/absent/program"], {}, state.path, state.logs / "thing.log")

    with pytest.raises(LocalError, match=r"the thing could not be started: .*No such file"):
        absent.start()


def test_a_part_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(
        "import os, pathlib, signal\npathlib.Path('pid').write_text(str(os.getpid()))\nsignal.pause()\n",
        encoding="utf-8",
    )
    parent = f"""
import pathlib, signal, sys
from local.part import Part
environment = {{"PYTHONPATH": {str(ROOT)!r} + ":" + {str(tmp_path)!r}}}
here = pathlib.Path({str(tmp_path)!r})
Part("it", [sys.executable, "-m", "local.lifeline", "sleeper"], environment, here, here / "it.log").start()
signal.pause()
"""
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT)  # noqa: S603 - the text above
    pid_file = tmp_path / "pid"
    until = time.monotonic() + _DEADLINE_S
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < until:
        time.sleep(0.02)

    process.kill()
    process.wait()

    assert ended(int(pid_file.read_text()))
