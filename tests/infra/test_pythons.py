"""A Python of a version is found, whatever lies on the PATH under its name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from infra.pythons import pythons, what_to_do


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which nothing is kept, with a folder on its PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv("PYTHON312", raising=False)
    monkeypatch.setattr(sys, "executable", "")
    return tmp_path


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def answering(path: Path, version: str) -> str:
    program(path, f"echo {version}\necho {path}")
    return str(path)


def test_a_stand_in_that_runs_nothing_is_passed_over(bare: Path) -> None:
    program(bare / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    kept = answering(bare / "pyenv" / "versions" / "3.12.1" / "bin" / "python", "3.12")

    assert list(pythons("3.12")) == [kept]


def test_one_that_is_named_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = answering(bare / "python3.12", "3.12")
    named = answering(bare / "elsewhere" / "py thon", "3.12")
    monkeypatch.setenv("PYTHON312", named)

    assert list(pythons("3.12")) == [named, on_path]


def test_another_version_under_its_name_does_not_count(bare: Path) -> None:
    answering(bare / "python3.12", "3.11")
    answering(bare / "uv", "3.12")  # says no path: what it says is no program either

    assert list(pythons("3.12")) == []


def test_versions_are_looked_for_in_order(bare: Path) -> None:
    older, newer = answering(bare / "python3.13", "3.13"), answering(bare / "python3.14", "3.14")

    assert list(pythons("3.14", "3.13")) == [newer, older]


def test_where_there_is_none_it_is_said_what_to_do() -> None:
    assert "PYTHON312=" in what_to_do("3.12")
