"""
The deployment package, as the platform's build makes it: `python -m infra.packaging FOLDER`.

FOLDER/relearn.zip holds what .funcignore leaves of the project, with the dependencies for Python 3.12 on Linux below
`.python_packages/lib/site-packages`; FOLDER/app is that archive, unpacked. Its sizes and its cold import's time are
printed. No Python 3.12 is needed to resolve and pack; one is needed to compile the modules and to measure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.markers import Marker
from pathspec import GitIgnoreSpec

from infra.cold_import import measured
from infra.pythons import pythons, what_to_do
from shared.version import BAKED, UNKNOWN, commit

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.12"
MOST_BYTES = 60_000_000
SITE_PACKAGES = Path(".python_packages") / "lib" / "site-packages"

_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
_MIB = 2**20


def main(arguments: list[str]) -> int:
    """Build the package into a folder and say how big and how quick it is."""
    if len(arguments) != 1:
        print("python -m infra.packaging FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    app, archive = folder / "app", folder / "relearn.zip"
    python = next(pythons(PYTHON), None)
    stage(app)
    bake_version(app)
    add_dependencies(app)
    if python is not None:
        compile_modules(app / SITE_PACKAGES, python)
    pack(app, archive)
    return said(archive, app, python)


def said(archive: Path, app: Path, python: str | None) -> int:
    """Unpack an archive in place of whatever it was made from, and say how big it is and how quickly it is imported."""
    unpack(archive, app)
    unpacked = sum(path.stat().st_size for path in app.rglob("*") if path.is_file())
    print(f"{archive}: {archive.stat().st_size / _MIB:.1f} MiB, {unpacked / _MIB:.1f} MiB unpacked")
    if problem := too_big(archive):
        print(problem, file=sys.stderr)
        return 1
    if python is None:
        print(f"{what_to_do(PYTHON)}.\nWithout it no module is compiled, and the cold import is not measured.")
        return 0
    print(f"cold import by {python}, on one core:")
    print(*measured(app, app / SITE_PACKAGES, python), sep="\n")
    return 0


def too_big(archive: Path) -> str:
    """Say what to do about an archive of more than 60 MB, which a start unpacks for too long; else nothing."""
    size = archive.stat().st_size
    if size <= MOST_BYTES:
        return ""
    what = f"the package has {size / 1e6:.1f} MB, and may have {MOST_BYTES / 1e6:.0f}"
    return f"{what}: take a dependency out of requirements.txt, or a file by .funcignore"


def stage(app: Path, root: Path = ROOT) -> None:
    """Copy what .funcignore leaves of the project."""
    shutil.rmtree(app, ignore_errors=True)
    for name in packaged_files(root):
        target = app / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)


def bake_version(app: Path, root: Path = ROOT) -> None:
    """Write which commit the package was made of, for reports."""
    (app / "shared" / BAKED.name).write_text(commit(root) or UNKNOWN, encoding="utf-8")


def packaged_files(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files of the package, relative to the project."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text(encoding="utf-8").splitlines())
    for folder, names, files in os.walk(root):
        here = Path(folder).relative_to(root)
        names[:] = sorted(name for name in names if not ignored.match_file(f"{here / name}/"))
        yield from (here / name for name in sorted(files) if not ignored.match_file(str(here / name)))


def add_dependencies(app: Path, version: str = PYTHON) -> None:
    """
    Install requirements.txt for the platform's system and a version of Python; wheels alone, so nothing is built here.

    pip evaluates the conditions of dependencies (`; python_version < "3.13"`) for the Python that runs it. Where there
    is none of that version, at least our own pins are those of that version.
    """
    platforms = [part for name in _PLATFORMS for part in ("--platform", name)]
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "requirements.txt"
        shutil.copyfile(app / wanted.name, wanted)
        pins = (app / "constraints.txt").read_text(encoding="utf-8")
        (wanted.parent / "constraints.txt").write_text(pins_for(version, pins), encoding="utf-8")  # wanted names it
        command = [sys.executable, "-m", "pip", "--python", next(pythons(version), sys.executable)]
        command += ["install", "--quiet", "--disable-pip-version-check", "--no-compile", "--only-binary=:all:"]
        command += ["--target", str(app / SITE_PACKAGES), "--python-version", version, "--implementation", "cp"]
        subprocess.run([*command, *platforms, "-r", str(wanted)], check=True)  # noqa: S603 (our own files)


def pins_for(version: str, constraints: str) -> str:
    """Return the constraints that hold for a version of Python on Linux, without their conditions."""
    about = {"python_version": version, "sys_platform": "linux"}
    lines = (line.partition(";") for line in constraints.splitlines() if not line.startswith("#"))
    return "".join(f"{pin.strip()}\n" for pin, _, when in lines if not when or Marker(when).evaluate(about))


def compile_modules(folder: Path, python: str) -> None:
    """Compile the dependencies, as pip does in the platform's build; a file's time makes no module stale."""
    options = ["-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([python, "-m", "compileall", *options, str(folder)], check=True)  # noqa: S603


def pack(app: Path, archive: Path) -> None:
    """Write the archive, in an order and with times that make equal contents equal archives."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in sorted(app.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(app)), (2026, 1, 1, 0, 0, 0))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                packed.writestr(entry, path.read_bytes())


def unpack(archive: Path, app: Path) -> None:
    """Have a folder hold what an archive holds, and nothing else."""
    shutil.rmtree(app, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(app)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
