"""What the service's tests say to it: recorded bodies, addresses, headers, data; and how they wait."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from studio.bootstrap import Service
from studio.commands.publish import Publication

DATA = Path(__file__).parents[1] / "data"
TOKEN = "token-of-the-workspace-in-the-tests"
SECRET = "c3R1ZGlvLXRlc3RzLXN0dWRpby10ZXN0cy1zdHVkaW8="  # 32 bytes in base64
VERSION = "?api-version=2.0"
RunJobs = Callable[[], None]
ROW = {"Inputs": {"input1": {"ColumnNames": ["age", "hours", "job"], "Values": [["40", "40", "clerk"]]}}}


def recorded(file: str) -> dict[str, Any]:
    """Read one file of recorded bodies."""
    return dict(json.loads((DATA / file).read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Published:
    """A publication as a client of the service knows it: addresses below the host, keys, a client to send with."""

    client: httpx.Client
    service: Service
    publication: Publication
    json: dict[str, Any]

    def endpoint(self, name: str) -> dict[str, Any]:
        return dict(self.json["predictive"]["endpoints"][name])

    @property
    def jobs_url(self) -> str:
        return str(self.json["training"]["jobs_url"])

    @property
    def jobs_headers(self) -> dict[str, str]:
        return bearer(self.json["training"]["primary_key"])

    def headers(self, name: str) -> dict[str, str]:
        return bearer(self.endpoint(name)["primary_key"])


def bearer(key: str) -> dict[str, str]:
    """Make the header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


class Jobs:
    """A client of batch execution: of the training web service, or of a predictive one's endpoint by its name."""

    def __init__(self, published: Published, endpoint: str | None = None) -> None:
        self.published = published
        self.url, self.headers = published.jobs_url, published.jobs_headers
        if endpoint is not None:
            self.url = f"{published.endpoint(endpoint)['api_location']}/jobs"
            self.headers = published.headers(endpoint)

    def submit(self, body: object) -> str:
        answer = self.call("POST", "", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json())

    def call(self, method: str, path: str, *, version: str = VERSION, **sent: Any) -> httpx.Response:
        headers = {**self.headers, **sent.pop("headers", {})}
        return self.published.client.request(method, f"{self.url}{path}{version}", headers=headers, **sent)

    def finished(self, body: object, run_jobs: RunJobs) -> dict[str, Any]:
        job_id = self.submit(body)
        assert self.call("POST", f"/{job_id}/start").status_code == 204
        run_jobs()
        return dict(self.call("GET", f"/{job_id}").json())


def content(result: dict[str, Any]) -> bytes:
    """Open a result as clients do: by joining its three parts."""
    address = result["BaseLocation"] + result["RelativeLocation"] + result["SasBlobToken"]
    return httpx.get(address, trust_env=False).raise_for_status().content


def scored(published: Published, name: str) -> str:
    """Return the probability that an endpoint gives one row."""
    endpoint = published.endpoint(name)
    answer = published.client.post(f"{endpoint['api_location']}/execute", headers=published.headers(name), json=ROW)
    return str(answer.raise_for_status().json()["Results"]["output1"]["value"]["Values"][0][-1])


def people(path: Path, n_rows: int, seed: int = 0) -> Path:
    """Write a labelled file for the small experiment: synthetic, learnable, with gaps."""
    draw = random.Random(seed)
    lines = ["age,hours,job,income"]
    for _ in range(n_rows):
        age, hours = draw.randint(18, 80), draw.randint(10, 60)
        job = draw.choice(["clerk", "smith", "judge", "?"])
        score = age / 40 + hours / 40 + (job == "judge") + draw.gauss(0, 0.4)
        lines.append(f"{age},{hours},{job},{'>50K' if score > 2.4 else '<=50K'}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Return status, code and the first detail's code of an error answer."""
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["details"][0]["code"]


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Poll until `condition` holds, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {seconds} s for {what}"
        time.sleep(0.05)
