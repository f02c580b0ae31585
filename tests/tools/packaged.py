"""What is deployed, built for a test: the archive anew, its dependencies once for each Python; and unpacked."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from infra.packaging import ROOT, SITE_PACKAGES, add_dependencies, bake_version, compile_modules, pack, stage, unpack
from infra.pythons import pythons


def packaged(folder: Path, version: str) -> Path:
    """Build the archive, its dependencies for a version of Python; return where it was unpacked, and nothing else."""
    built, archive, app = folder / "built", folder / "relearn.zip", folder / "app"
    stage(built)
    bake_version(built)
    shutil.copytree(_built(version) / SITE_PACKAGES, built / SITE_PACKAGES, copy_function=os.link)
    pack(built, archive)
    shutil.rmtree(built)
    unpack(archive, app)
    return app


def packages_in_use(pid: int, library: str) -> set[Path]:
    """The folders from which a process has loaded compiled modules of a library (Linux)."""
    maps = Path(f"/proc/{pid}/maps").read_text().split()
    return {Path(part.partition(f"/{library}/")[0]) for part in maps if f"/{library}/" in part and part.endswith(".so")}


def packages_of(app: Path) -> Path:
    """Where a package's dependencies are, symbolic links followed."""
    return (app / SITE_PACKAGES).resolve()


def _built(version: str) -> Path:
    pins = (ROOT / "requirements.txt").read_bytes() + (ROOT / "constraints.txt").read_bytes()
    digest = hashlib.sha256(pins + version.encode()).hexdigest()[:12]
    target = ROOT / ".local" / f"packaged-{digest}"
    target.parent.mkdir(exist_ok=True)
    with (target.parent / "packaged.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test process builds, the others wait
        if not (target / "complete").exists():
            stage(target)
            add_dependencies(target, version)
            if python := next(pythons(version), None):
                compile_modules(target / SITE_PACKAGES, python)
            (target / "complete").touch()
    return target
