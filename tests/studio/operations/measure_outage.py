"""
Two servers of two processes and two workers over one storage, through a swap, a minute's outage and kills.

    python tests/studio/operations/measure_outage.py [SECONDS]

Prints how long a PATCH at one server took to be served by the other, and what became of scoring calls and jobs.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from deployment import ROOT, Deployment, JobsClient, Storage, children_of, kill, until_true  # noqa: E402
from exchanges import ROW, bearer, people  # noqa: E402

N_JOBS = 6
PAUSE_S = 0.02


class Caller:
    """Scores one row at one server over and over, each time over a new connection."""

    def __init__(self, server: Deployment, endpoint: dict[str, Any]) -> None:
        self._url = f"{server.url}{httpx.URL(endpoint['api_location']).path}/execute"
        self._headers = bearer(endpoint["primary_key"])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._call)
        self.answers: list[tuple[float, str]] = []  # when it came, and a probability or what went wrong

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _call(self) -> None:
        while not self._stop.wait(PAUSE_S):
            try:
                answer = httpx.post(self._url, headers=self._headers, json=ROW, trust_env=False)
                value = answer.json()["Results"]["output1"]["value"] if answer.is_success else None
                text = value["Values"][0][-1] if value else f"failed: {answer.status_code}"
            except httpx.TransportError as error:
                text = f"failed: {type(error).__name__}"
            self.answers.append((time.monotonic(), text))


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _answers(callers: list[Caller], since: float) -> Counter[str]:
    return Counter(
        "answered" if not text.startswith("failed") else text
        for caller in callers
        for at, text in caller.answers
        if at > since
    )


def main(outage_s: float) -> None:
    """Start it all, and print one line for each thing that was done to it."""
    with tempfile.TemporaryDirectory() as folder, Storage(Path(folder, "azurite")) as storage:
        data = people(Path(folder, "train.csv"), 3000)
        settings = {"STUDIO_PROCESSES": "2", "STUDIO_LEASE_SECONDS": "3"}
        Path(folder, "first").mkdir()
        Path(folder, "second").mkdir()
        with Deployment(storage.connection_string, Path(folder, "first"), **settings) as first:
            settings |= {"STUDIO_WORKSPACE": first.environment["STUDIO_WORKSPACE"]}
            with Deployment(storage.connection_string, Path(folder, "second"), **settings) as second:
                _run(first, second, storage, data, outage_s)


def _run(first: Deployment, second: Deployment, storage: Storage, data: Path, outage_s: float) -> None:
    publication = first.publish(ROOT / "tests/data/income.toml", data, "live")
    live = publication["predictive"]["endpoints"]["live"]
    servers = [first.serve(workers=0), second.serve(workers=0)]
    workers = [first.work(), second.work()]
    jobs = JobsClient(first, publication)
    jobs.upload("train.csv", data.read_bytes())
    jobs.upload("other.csv", people(data.with_name("other.csv"), 3000, seed=9).read_bytes())
    challenger = jobs.ended(jobs.start("other.csv", "challenger"))["Results"]["output1"]
    callers = [Caller(server, live) for server in (first, second)]
    for caller in callers:
        caller.start()
    begun = time.monotonic()
    until_true(lambda: all(len(caller.answers) > 20 for caller in callers), "calls to be answered")

    resource = {"Name": publication["predictive"]["resource"], "Location": challenger}
    old = callers[0].answers[-1][1]
    first.client.patch(live["management_url"], headers=bearer(live["primary_key"]), json={"Resources": [resource]})
    patched_at = time.monotonic()
    time.sleep(2)
    last_old = max((at for caller in callers for at, text in caller.answers if text == old), default=patched_at)
    _show(f"PATCH: the old model answered for {max(0.0, last_old - patched_at):.2f} s more, at either server")

    started = [jobs.start("train.csv", f"model{number}") for number in range(N_JOBS)]
    out_at = time.monotonic()
    with storage.out():
        time.sleep(outage_s)
    back_at = time.monotonic()
    ends = Counter(jobs.ended(job_id, 120)["StatusCode"] for job_id in started)
    _show(f"outage of {back_at - out_at:.0f} s: scoring {dict(_answers(callers, begun))}, jobs {dict(ends)}")
    _show(f"  the last job ended {time.monotonic() - back_at:.1f} s after it")

    killed_at = time.monotonic()
    started = [jobs.start("train.csv", f"again{number}") for number in range(N_JOBS)]
    kill(workers[0].pid)
    kill(min(children_of(servers[1].pid)))
    ends = Counter(jobs.ended(job_id, 120)["StatusCode"] for job_id in started)
    _show(f"kill -9 of a worker and a scoring process: jobs {dict(ends)}, scoring {dict(_answers(callers, killed_at))}")
    for caller in callers:
        caller.stop()
    ended = [end["job_id"] for deployment in (first, second) for end in deployment.events("job.ended")]
    _show(f"jobs that ended twice: {len(ended) - len(set(ended))}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
