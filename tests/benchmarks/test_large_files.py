"""A file of any size is held against its contract in the same memory; `measure_contract.py` measures gigabytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MEASURE = Path(__file__).with_name("measure_contract.py")


def test_memory_does_not_grow_with_the_file() -> None:
    small, large = _measured(2), _measured(24)

    assert large["rows"] > 10 * small["rows"]
    assert large["bad"] > 10 * small["bad"]
    assert large["peak_mb"] < small["peak_mb"] + 8
    assert large["peak_mb"] < 200


def _measured(megabytes: int) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(MEASURE), "--mb", str(megabytes)], capture_output=True, check=True, text=True
    )
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
