"""The demonstration on live parts, as a pipe sees it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from local.places import WORK

Local = Callable[..., subprocess.CompletedProcess[str]]


def test_the_demonstration_shows_every_outcome_in_plain_lines(local: Local) -> None:
    before = set(WORK.glob("demo-*"))

    done = local("demo")

    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.partition("What became of each file")[2]
    assert re.findall(r"^ *(\S+\.csv) +([A-Z_]+)", table, re.MULTILINE) == [
        ("larger.csv", "PROMOTED"),
        ("larger-again.csv", "DUPLICATE"),
        ("shuffled-labels.csv", "REJECTED"),
        ("no-label-column.csv", "QUARANTINED"),
        ("text-in-number.csv", "QUARANTINED"),
    ]
    assert "\x1b" not in done.stdout
    assert set(WORK.glob("demo-*")) == before


def test_a_demonstration_on_an_unusable_file_is_one_sentence(tmp_path: Path, local: Local) -> None:
    data = tmp_path / "adult.csv"
    data.write_text("a,b\n1,2\n", encoding="utf-8")

    done = local("demo", "--data", str(data))

    assert done.returncode == 1
    assert "adult.csv, line 1: expected the columns age,workclass" in done.stdout
    assert done.stderr == ""
