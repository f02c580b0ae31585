"""
The deployment package, as the platform's build makes it: `python -m infra.packaging FOLDER`.

FOLDER/app holds what .funcignore leaves of the project, with the dependencies for Python 3.12 on Linux below
`.python_packages/lib/site-packages`; FOLDER/relearn.zip is that, packed. Sizes and a cold import's time are printed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from pathspec import GitIgnoreSpec

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "3.12"
SITE_PACKAGES = Path(".python_packages") / "lib" / "site-packages"

_PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
_MIB = 2**20
_IMPORTS = 5
# Seconds of processor time: what the import takes of one core, whatever else the machine does.
_IMPORT = "import time; began = time.process_time(); import function_app; print(time.process_time() - began)"


def main(arguments: list[str]) -> int:
    """Build the package into a folder and say how big and how quick it is."""
    if len(arguments) != 1:
        print("python -m infra.packaging FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    app, archive = folder / "app", folder / "relearn.zip"
    python = shutil.which(f"python{PYTHON}")
    stage(app)
    add_dependencies(app)
    if python is not None:
        compile_modules(app, python)
    pack(app, archive)
    unpacked = sum(path.stat().st_size for path in app.rglob("*") if path.is_file())
    print(f"{archive}: {archive.stat().st_size / _MIB:.1f} MiB, {unpacked / _MIB:.1f} MiB unpacked")
    if python is None:
        print(f"no python{PYTHON} on the PATH: modules are not compiled, and the cold import is not measured")
        return 0
    times = cold_imports(app, python)
    print(f"cold import, {PYTHON}: median {median(times):.2f} s of one core, best {min(times):.2f} s of {len(times)}")
    return 0


def stage(app: Path, root: Path = ROOT) -> None:
    """Copy what .funcignore leaves of the project."""
    shutil.rmtree(app, ignore_errors=True)
    for name in packaged_files(root):
        target = app / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)


def packaged_files(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files of the package, relative to the project."""
    ignored = GitIgnoreSpec.from_lines((root / ".funcignore").read_text(encoding="utf-8").splitlines())
    for folder, names, files in os.walk(root):
        here = Path(folder).relative_to(root)
        names[:] = sorted(name for name in names if not ignored.match_file(f"{here / name}/"))
        yield from (here / name for name in sorted(files) if not ignored.match_file(str(here / name)))


def add_dependencies(app: Path) -> None:
    """Install requirements.txt for the platform's Python and system; wheels alone, so that nothing is compiled here."""
    platforms = [part for name in _PLATFORMS for part in ("--platform", name)]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(app / SITE_PACKAGES), "--python-version", PYTHON, "--implementation", "cp", *platforms]
    command += ["--only-binary=:all:", "-r", str(app / "requirements.txt"), "-c", str(ROOT / "constraints.txt")]
    subprocess.run(command, check=True)  # noqa: S603 (our own files)


def compile_modules(app: Path, python: str) -> None:
    """Compile the dependencies, as the platform's build does; a module counts as fresh whatever its file's time."""
    options = ["-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([python, "-m", "compileall", *options, str(app / SITE_PACKAGES)], check=True)  # noqa: S603


def pack(app: Path, archive: Path) -> None:
    """Write the archive, in an order and with times that make equal contents equal archives."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as packed:
        for path in sorted(app.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(app)), (2026, 1, 1, 0, 0, 0))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                packed.writestr(entry, path.read_bytes())


def cold_imports(app: Path, python: str, times: int = _IMPORTS) -> list[float]:
    """Import the packaged app in new processes on one core, and return how many seconds each took."""
    command = [python, "-S", "-c", _IMPORT]
    if shutil.which("taskset"):
        command = ["taskset", "-c", "0", *command]
    paths = os.pathsep.join((str(app / SITE_PACKAGES), str(app)))
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": paths, **sample_settings()}
    return [float(_run(command, app, environment)) for _ in range(times)]


def sample_settings() -> dict[str, str]:
    """Return settings with which the app starts: those of the sample."""
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    return {name: str(value) for name, value in sample["Values"].items()}


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"the packaged app does not start:\n{done.stderr[-2000:]}")
    return done.stdout.splitlines()[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
