"""Sets up once what the benchmarks need: the load generator, the peers' environment, the storage emulator, the data."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import BenchError
from benchmarks.places import BENCH, DATA, LOGS, PEERS, RESULTS, ROOT
from examples.census import generate
from local.environment import install_storage
from local.programs import surroundings

_ADULT = ROOT.parent / "shared" / "data" / "adult" / "adult.csv"  # where a checkout has the real file beside it
_N_ROWS = 32_561
_SCALE_S = 1200

_Say = Callable[[str], None]


@dataclass(frozen=True)
class Kit:
    """What every benchmark works with; `source` says where the rows come from, as told to a person."""

    python: Path
    wrk: str
    adult: Path
    source: str

    def run(self, script: str, *arguments: object, timeout_s: float, cwd: Path = PEERS) -> str:
        """
        Run one of the peers' scripts in their environment and return what it printed.

        Raises:
            BenchError: It failed; the text ends with what it said.
        """
        command = [str(self.python), str(PEERS / script), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=cwd, env=surroundings({}), capture_output=True, text=True, timeout=timeout_s, check=False
        )
        if done.returncode:
            raise BenchError(f"the peers' {script} failed (exit code {done.returncode}):\n{done.stderr[-2000:]}")
        return done.stdout

    def scaled(self, times: int) -> Path:
        """Return the data repeated `times` times with jitter; made once."""
        target = DATA / f"{self.adult.stem}_x{times}.csv"
        if not target.exists():
            self.run("scale.py", self.adult, target, times, timeout_s=_SCALE_S)
        return target


def prepare(data: Path | None, say: _Say) -> Kit:
    """
    Set up what is missing.

    Args:
        data: A CSV file with the columns of UCI Adult; None takes the real one where it lies beside the checkout, else
            synthetic rows.

    Raises:
        BenchError: wrk is missing, the peers could not be installed, or `data` is not there.
    """
    for folder in (BENCH, DATA, LOGS, RESULTS):
        folder.mkdir(parents=True, exist_ok=True)
    wrk = _load_generator()
    install_storage(say)
    python = _peers_python(say)
    adult, source = rows_of(data)
    say(f"Using {source}.")
    return Kit(python, wrk, adult, source)


def _load_generator() -> str:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchError("the benchmarks need wrk on the PATH: install it (apt-get install wrk, or: brew install wrk)")
    return wrk


def _peers_python(say: _Say) -> Path:
    """Make the peers' environment; its name holds the checksum of what it was made of, so that it is never stale."""
    pins = PEERS / "requirements.txt"
    made_of = hashlib.sha256(pins.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = BENCH / f"peers-{made_of}"
    python, stamp = home / "bin" / "python", home / ".complete"
    if not stamp.exists():
        say("Installing the peers (once; a minute)")
        _run([sys.executable, "-m", "venv", "--clear", str(home)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(pins)])
        stamp.touch()
    return python


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, env=surroundings({}), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout)[-2000:]
        raise BenchError(f"the peers could not be installed; check that pip reaches a package index:\n{said}")


def rows_of(data: Path | None) -> tuple[Path, str]:
    """Return the file to measure with, and where its rows come from: the one given, the real one, or synthetic rows."""
    if data is not None:
        if not data.is_file():
            raise BenchError(f"there is no file {data}: name a CSV file with the columns of UCI Adult")
        return data.resolve(), f"the rows of {data.name}"
    if _ADULT.is_file():
        return _ADULT, "UCI Adult, the real file"
    synthetic = DATA / "synthetic.csv"
    if not synthetic.exists():
        generate.write(synthetic, _N_ROWS, seed=1)
    return synthetic, "synthetic rows with the columns of UCI Adult (no row describes a person)"
