"""The deployment package holds the function app and nothing else, whatever lies around in the project."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path

import pytest

from infra.packaging import MOST_BYTES, SITE_PACKAGES, pack, packaged_files, pins_for, said, stage, too_big
from tests.infra.places import ROOT

OWN = {"constraints.txt", "function_app.py", "host.json", "models.toml", "requirements.txt"}


def test_it_holds_the_app_and_its_settings_and_no_more() -> None:
    files = {str(path) for path in packaged_files()}

    assert {name for name in files if "/" not in name} == OWN
    assert {name.partition("/")[0] for name in files if "/" in name} == {"shared"}
    assert not [name for name in files if "__pycache__" in name]


def test_it_holds_every_file_of_the_app() -> None:
    files = set(packaged_files())
    source = {path.relative_to(ROOT) for path in (ROOT / "shared").rglob("*") if path.is_file()}

    assert {path for path in source if "__pycache__" not in path.parts} <= files


def test_secrets_and_leftovers_of_a_project_stay_out(tmp_path: Path) -> None:
    (tmp_path / ".funcignore").write_text((ROOT / ".funcignore").read_text())
    for name in ("local.settings.json", ".azure/dev/.env", ".git/config", ".local/state", "shared/__pycache__/x.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "shared" / "logs.py").touch()

    assert [str(path) for path in packaged_files(tmp_path)] == ["shared/logs.py"]


def test_the_pins_are_those_of_the_deployed_python() -> None:
    pins = 'one==1\ntwo==1; python_version < "3.13"\ntwo==2; python_version >= "3.13"\n# a remark\n'

    assert pins_for("3.12", pins) == "one==1\ntwo==1\n"
    assert pins_for("3.13", pins) == "one==1\ntwo==2\n"


def test_equal_contents_give_equal_archives(tmp_path: Path) -> None:
    for name in ("one", "two"):
        stage(tmp_path / name)
        pack(tmp_path / name, tmp_path / f"{name}.zip")

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert "host.json" in zipfile.ZipFile(tmp_path / "one.zip").namelist()


def test_a_package_beyond_its_size_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "relearn.zip"
    archive.touch()
    os.truncate(archive, MOST_BYTES)  # a hole: nothing is written
    assert too_big(archive) == ""

    os.truncate(archive, MOST_BYTES + 100_000)
    assert too_big(archive).startswith("the package has 60.1 MB, and may have 60: ")


def test_what_is_measured_is_the_archive_and_not_what_it_was_made_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app, archive = tmp_path / "app", tmp_path / "relearn.zip"
    (app / SITE_PACKAGES).mkdir(parents=True)
    (app / "function_app.py").write_text("import only_packed\n")
    (app / SITE_PACKAGES / "only_packed.py").write_text(f"about = {'x' * 2**20!r}\n")
    pack(app, archive)
    (app / "function_app.py").write_text("raise RuntimeError('what the archive was made of')\n")
    (app / "left_over.py").touch()

    assert said(archive, app, sys.executable) == 0

    size, python, *figures = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"{re.escape(str(archive))}: 0\.0 MiB, 1\.0 MiB unpacked", size)
    assert python == f"cold import by {sys.executable}, on one core:"
    assert len(figures) == 2
    assert all(re.search(r"best \d+\.\d\d s, median \d+\.\d\d s of processor time", line) for line in figures)
    assert not (app / "left_over.py").exists()


def test_without_the_platforms_python_no_import_is_claimed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app, archive = tmp_path / "app", tmp_path / "relearn.zip"
    app.mkdir()
    pack(app, archive)

    assert said(archive, app, None) == 0

    printed = capsys.readouterr().out
    assert "no Python 3.12 that runs was found" in printed
    assert "cold import by" not in printed
