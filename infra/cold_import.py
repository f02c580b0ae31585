"""How long the packaged app takes to be imported, in new processes on one core."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

_TIMES = 5
# Seconds of processor time (user and system) tell what the import takes of one core, whatever else the machine does.
_IMPORT = (
    "import time; cpu, clock = time.process_time(), time.perf_counter(); import function_app; "
    "print(time.process_time() - cpu, time.perf_counter() - clock)"
)


def measured(app: Path, packages: Path, python: str) -> Iterator[str]:
    """Yield a line for each of two states: as it is deployed, and with the app's own modules compiled too."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(packages), str(app))),
        **_settings(),
    }
    with tempfile.TemporaryDirectory() as compiled:
        yield _line("as deployed", python, app, environment | {"PYTHONDONTWRITEBYTECODE": "1"})
        everything = environment | {"PYTHONPYCACHEPREFIX": compiled}
        _import(python, app, everything)  # compiles
        yield _line("its own modules compiled too", python, app, everything)


def _line(what: str, python: str, app: Path, environment: Mapping[str, str]) -> str:
    cpu, clock = zip(*(_import(python, app, environment) for _ in range(_TIMES)), strict=True)
    figures = f"best {min(cpu):.2f} s, median {median(cpu):.2f} s of processor time; {min(clock):.2f} s by the clock"
    return f"  {what}: {figures}; {_TIMES} starts"


def _settings() -> dict[str, str]:
    """Settings with which the app starts: the sample's, and telemetry as in Azure."""
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    return {name: str(value) for name, value in sample["Values"].items()} | {"TELEMETRY": "log"}


def _import(python: str, folder: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    command = [python, "-S", "-c", _IMPORT]
    if shutil.which("taskset"):
        command = ["taskset", "-c", "0", *command]
    done = subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"the packaged app does not start:\n{done.stderr[-2000:]}")
    cpu, clock = done.stdout.splitlines()[-1].split()
    return float(cpu), float(clock)
