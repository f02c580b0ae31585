from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.places import ROOT


def run(*command: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = environment or dict(os.environ)
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603


def run_setup(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run("/bin/sh", str(ROOT / "local" / "setup.sh"), python, str(folder / "venv"), "local")


def program(folder: Path, text: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run_setup("absent-python", tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("'absent-python' does not run: install Python 3.11 or newer")


def test_an_old_python_is_named_with_what_to_do(tmp_path: Path) -> None:
    old = program(tmp_path, "case $2 in *exit*) exit 1 ;; *) echo 3.9 ;; esac")

    done = run_setup(old, tmp_path)

    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "is Python 3.9: name another, as in: make demo PYTHON=" in done.stderr


def test_a_python_without_venv_is_named_with_the_package_to_install(tmp_path: Path) -> None:
    bare = program(tmp_path, "case $2 in *ensurepip*) exit 1 ;; *) echo 3.12 ;; esac")

    done = run_setup(bare, tmp_path)

    assert done.returncode == 1
    assert "cannot make virtual environments" in done.stderr
    assert "apt install python3-venv" in done.stderr


@pytest.mark.parametrize(
    ("loader_says", "advice"),
    [
        ("libgomp.so.1: cannot open shared object file", "apt install libgomp1"),
        ("Library not loaded: @rpath/libomp.dylib", "brew install libomp"),
    ],
)
def test_a_missing_openmp_runtime_is_named_with_what_to_install(tmp_path: Path, loader_says: str, advice: str) -> None:
    answers = f'case "$*" in *ctypes*) echo "{loader_says}"; exit 1 ;; *print*) echo 3.12 ;; esac'
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    program(tmp_path / "venv" / "bin", answers)
    (tmp_path / "venv" / "bin" / "pip").symlink_to("python")

    done = run_setup("python3", tmp_path)

    assert done.returncode == 1
    assert advice in done.stderr
    assert not list((tmp_path / "venv").glob(".local-*"))


def test_a_second_set_up_does_nothing(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    folder = tmp_path / "venv" / "bin"
    folder.mkdir(parents=True)
    program(folder, f'echo "$*" >>{calls}; case "$*" in *print*) echo 3.12 ;; esac')
    (folder / "pip").symlink_to("python")

    first, second = run_setup("python3", tmp_path), run_setup("python3", tmp_path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert second.stdout == ""
    installs = [line for line in calls.read_text(encoding="utf-8").splitlines() if "install" in line]
    assert len(installs) == 1


def test_make_without_a_target_lists_the_targets() -> None:
    done = run("make")

    assert all(f"make {target}" in done.stdout for target in ("demo", "up", "drop", "test", "lint", "clean"))


def test_a_machine_s_name_in_the_environment_is_not_taken_for_a_host() -> None:
    dry = ("make", "-n", f"PYTHON={sys.executable}", "up")

    plain = run(*dry, environment={**os.environ, "HOST": "some-laptop"})
    asked = run(*dry, "HOST=func")

    assert "local up" in plain.stdout
    assert "--host" not in plain.stdout
    assert '--host "$RELEARN_HOST"' in asked.stdout
