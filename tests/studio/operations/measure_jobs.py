"""
Measures training jobs of 32,561 rows through a whole service: submit to Finished, and claim to Finished.

    python tests/studio/operations/measure_jobs.py DATA.csv [N_JOBS]
"""

from __future__ import annotations

import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parent)]

from deployment import ROOT, Deployment, JobsClient, Storage  # noqa: E402 - the path is set above

_POLL_S = 0.01


def main(data: Path, n_jobs: int) -> None:
    """Print one line per measure, in milliseconds."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Storage(Path(folder, "azurite")) as storage,
        Deployment(storage.connection_string, Path(folder)) as deployment,
    ):
        publication = deployment.publish(ROOT / "examples/census/experiment.toml", data, "live")
        deployment.serve()
        jobs = JobsClient(deployment, publication)
        jobs.upload("train.csv", data.read_bytes())
        spans = [_span(jobs, number) for number in range(n_jobs)]
        claimed = [float(s) * 1000 for s in re.findall(r'job\.ended .*"seconds": ([\d.]+)', deployment.log())]
    _show("submit to Finished, as the caller sees it", spans)
    _show("claim to Finished, as the worker logs it", claimed)


def _span(jobs: JobsClient, number: int) -> float:
    time.sleep(1.5)  # the worker is idle and polls at its slowest
    started = time.perf_counter()
    status = jobs.ended(jobs.start("train.csv", f"out-{number}"), pause=_POLL_S)
    assert status["StatusCode"] == "Finished", status
    return (time.perf_counter() - started) * 1000


def _show(what: str, values: list[float]) -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{what}: median {middle:.0f} ms, {low:.0f} to {high:.0f} ({len(values)} jobs)")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
