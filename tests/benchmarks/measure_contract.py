"""
How fast, and in how much memory, a large file is held against its contract.

    python tests/benchmarks/measure_contract.py [--mb 2048]

Prints one line of JSON: size, processor seconds, MB/s, the greatest resident memory, and the seconds as a
multiple of what the standard library's `csv.reader` alone needs for the same bytes. Ten columns like the census
example's; one row in a thousand is bad and set aside, and every row is compared with a holdout of 4,000.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from shared.domain.data.checking import check
from shared.domain.data.contract import BadRows, Contract
from shared.domain.data.inference import infer
from shared.domain.data.row_hashes import holdout_hashes

_MB = 2**20
_HEADER = b"age,workclass,fnlwgt,education,education-num,marital-status,sex,capital-gain,hours-per-week,income\n"


def block(seed: int, rows: int) -> bytes:
    """Return rows; one in a thousand has a text where a number belongs."""
    draw = random.Random(seed)
    lines = []
    for number in range(rows):
        age = "old" if number % 1000 == 999 else str(draw.randint(18, 80))
        label = ">50K" if draw.random() < 0.3 else "<=50K"
        weight, years, hours = draw.randint(1, 10**6), draw.randint(1, 16), draw.randint(1, 99)
        lines.append(f"{age},Private,{weight},HS-grad,{years},Divorced,Male,0,{hours},{label}\n")
    return "".join(lines).encode()


def file_of(size: int) -> Iterator[bytes]:
    """Yield a file of about so many bytes in pieces of a megabyte or so."""
    yield _HEADER
    piece = block(1, 20_000)
    for _ in range(size // len(piece)):
        yield piece


def _peak_mb() -> float:
    """Return this process's own peak; where there is `/proc`, without what it was forked from."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--mb", type=int, default=2048)
    size = parser.parse_args().mb * _MB
    good = (line for line in (_HEADER + block(2, 4000)).splitlines(keepends=True) if not line.startswith(b"old"))
    holdout = b"".join(good)
    contract: Contract = replace(infer([holdout]), bad_rows=BadRows.SET_ASIDE)

    began = time.process_time()
    findings = check(file_of(size), contract, holdout_hashes([holdout], contract))
    seconds = time.process_time() - began
    peak = _peak_mb()

    began = time.process_time()
    for _ in csv.reader(line for piece in file_of(size) for line in io.StringIO(piece.decode(), newline="\n")):
        pass
    alone = time.process_time() - began
    assert findings.is_met
    assert findings.is_balanced
    measured = {
        "mb": round(size / _MB), "rows": findings.rows, "bad": findings.bad, "seconds": round(seconds, 1),
        "mb_per_s": round(size / _MB / seconds, 1), "peak_mb": round(peak, 1),
        "times_csv_alone": round(seconds / alone, 2),
    }  # fmt: skip
    print(json.dumps(measured))  # noqa: T201


if __name__ == "__main__":
    main()
