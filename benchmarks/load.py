"""One request again and again over a number of kept connections, by wrk."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from benchmarks.errors import BenchError
from benchmarks.places import HERE
from benchmarks.server import Target

_RESULT = "RESULT "


@dataclass(frozen=True)
class Load:
    """What came of it; latencies in milliseconds, `failed` counts every answer but 200."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def drive(wrk: str, target: Target, *, n_rows: int, connections: int, seconds: int) -> Load:
    """
    Send the target's request of `n_rows` rows for `seconds` seconds.

    Raises:
        BenchError: wrk did not run.
    """
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(HERE / "wrk.lua")]
    # The key goes by the environment: a command line is open to every user of the machine.
    key = {"AUTHORIZATION": target.headers.get("Authorization", "")}
    environment = {**os.environ, **key, "BODY": str(target.bodies[n_rows])}
    done = subprocess.run([wrk, *options, target.url], env=environment, capture_output=True, text=True, check=False)
    line = next((line for line in done.stdout.splitlines() if line.startswith(_RESULT)), None)
    if line is None:
        raise BenchError(f"wrk did not run (exit code {done.returncode}): {done.stderr[-500:]}")
    found = json.loads(line.removeprefix(_RESULT))
    return Load(found["requests"] / found["seconds"], found["p50_ms"], found["p99_ms"], found["failed"])
