"""What is deployed, built for a test: the app's files anew, its dependencies once for each Python."""

from __future__ import annotations

import fcntl
import hashlib
from pathlib import Path

from infra.packaging import ROOT, SITE_PACKAGES, add_dependencies, stage


def packaged(app: Path, version: str) -> Path:
    """Build the package into a folder, its dependencies for a version of Python; return the folder."""
    stage(app)
    (app / SITE_PACKAGES.parts[0]).symlink_to(_built(version) / SITE_PACKAGES.parts[0])
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
            (target / "complete").touch()
    return target
