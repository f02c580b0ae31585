"""
A small real HTTP server that speaks the classic protocol and can be told to misbehave.

It trains nothing: a "model" is a text with a quality, and its answers follow the column `age` as well as that
quality says. Everything goes over HTTP and real blobs, so the app under test cannot tell.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.tools.local_server import LocalServer, QuietHandler

METRICS = "Accuracy,Precision,Recall,F-Score,AUC,Average Log Loss,Training Log Loss\n{0},{0},{0},{0},{0},0.3,40\n"
RESOURCE = "Census Model [trained model]"


@dataclass
class Faults:
    """What the service does wrong; everything right by default."""

    job_status: str = "Finished"
    details: str | None = None
    metrics: str | None = None
    forget_jobs: bool = False
    lying_updates: int = 0  # answers 200 and changes nothing
    refused_updates: int = 0
    refused_submits: int = 0
    unavailable: int = 0  # answers 503 to so many calls
    swap_outputs: bool = False
    integer_status: bool = False
    # Of endpoint, model and right answer: what is answered instead, or None.
    scoring: Callable[[str, str, Any], tuple[int, Any] | None] = lambda endpoint, model, answer: None
    job_tokens: list[str] = field(default_factory=list)  # of the next answers about a job: good, expired or refused


@dataclass
class Job:
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    started: int = 0


@dataclass
class ClassicService(LocalServer):
    """One training service and two scoring endpoints, `live` and `staging`."""

    quality: float = 1.0  # of the next model trained
    faults: Faults = field(default_factory=Faults)
    jobs: dict[str, Job] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=lambda: {"live": "quality=0.5", "staging": "quality=0.5"})
    calls: list[tuple[str, str]] = field(default_factory=list)
    called_for: list[str] = field(default_factory=list)  # the caller's id of each call
    odd_jobs: set[str] = field(default_factory=set)  # their status is no object
    published: str = ""  # signed address of the published model's bytes
    words: str = "refused"  # the message of every refusal
    before_update: Callable[[str], None] = lambda name: None

    def __post_init__(self) -> None:
        LocalServer.__init__(self, _Handler, service=self)

    def settings(self) -> dict[str, str]:
        endpoints = f"{self.url}/workspaces/w/webservices/s/endpoints"
        return {
            "CENSUS_JOBS_URL": f"{self.url}/workspaces/w/services/t/jobs",
            "CENSUS_JOBS_KEY": "planted-jobs-key",
            "CENSUS_LIVE_URL": f"{endpoints}/live",
            "CENSUS_LIVE_KEY": "planted-live-key",
            "CENSUS_STAGING_URL": f"{endpoints}/staging",
            "CENSUS_STAGING_KEY": "planted-staging-key",
        }

    def count(self, method: str, pattern: str) -> int:
        """How many calls were made to paths that match."""
        return sum(1 for called, path in self.calls if called == method and re.search(pattern, path))

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.calls.append((method, path))
        if self.faults.unavailable > 0:
            self.faults.unavailable -= 1
            return 503, self._error("ServiceUnavailable", "RequestThrottled")
        if "/webservices/" in path:
            return self._manage(method, path.rpartition("/")[2], body)
        if path.endswith("/execute"):
            endpoint = path.split("/")[-2]
            answer = self._score(endpoint, body)
            return self.faults.scoring(endpoint, self.served[endpoint], answer) or (200, answer)
        return self._batch(method, path.partition("/jobs")[2].strip("/"), body)

    def _error(self, code: str, detail: str) -> Any:
        message = {"code": detail, "message": f"{detail} it is"}
        return {"error": {"code": code, "message": self.words, "details": [message]}}

    def _batch(self, method: str, rest: str, body: Any) -> tuple[int, Any]:
        job_id, _, action = rest.partition("/")
        if not job_id:
            if self.faults.refused_submits > 0:
                self.faults.refused_submits -= 1
                return 400, self._error("BadArgument", "InvalidBlobExtension")
            job_id = uuid.uuid4().hex
            self.jobs[job_id] = Job(body["Inputs"], body["Outputs"])
            return 200, job_id
        if job_id not in self.jobs or self.faults.forget_jobs:
            return 404, self._error("NotFound", "NotFound")
        job = self.jobs[job_id]
        if action == "start":
            if job.started:
                return 400, self._error("InvalidOperation", "CannotStartJob")
            job.started += 1
            if self.faults.job_status == "Finished":
                self._write(job)
            return 204, None
        if method == "DELETE":
            del self.jobs[job_id]
            return 204, None
        return 200, [] if job_id in self.odd_jobs else self._status(job)

    def _status(self, job: Job) -> Any:
        status = self.faults.job_status if job.started else "NotStarted"
        finished = status == "Finished"
        results = dict(job.outputs) if finished else None
        if results and self.faults.swap_outputs:
            results = dict(zip(results, reversed(list(results.values())), strict=True))
        if results and self.faults.job_tokens:
            spoil = _SPOILT[self.faults.job_tokens.pop(0)]
            results = {
                name: output | {"SasBlobToken": spoil(output["SasBlobToken"])} for name, output in results.items()
            }
        code = ["NotStarted", "Running", "Failed", "Cancelled", "Finished"].index(status) if status in _NAMES else 9
        return {
            "StatusCode": code if self.faults.integer_status else status,
            "Results": results,
            "Details": self.faults.details,
        }

    def _write(self, job: Job) -> None:
        for output in job.outputs.values():
            is_model = output["RelativeLocation"].endswith(".ilearner")
            text = f"quality={self.quality}" if is_model else (self.faults.metrics or METRICS.format(0.9))
            _put(output, text.encode())

    def _manage(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        if method == "PATCH":
            self.before_update(name)
            if name == "live" and self.faults.refused_updates > 0:
                self.faults.refused_updates -= 1
                return 409, self._error("Conflict", "ModelOutputMetadataMismatch")
            if name == "live" and self.faults.lying_updates > 0:
                self.faults.lying_updates -= 1
                return 200, None
            (resource,) = body["Resources"]
            assert resource["Name"] == RESOURCE
            model = requests.get(_address(resource["Location"]), timeout=10)
            if not model.ok:
                return 400, self._error("BadArgument", "InvalidBlob")
            self.served[name] = model.text
            return 200, None
        base, _, token = self.published.partition("?")
        location = {"BaseLocation": base.rpartition("/")[0] + "/", "RelativeLocation": base.rpartition("/")[2]}
        return 200, {
            "Name": name,
            "ApiLocation": f"{self.url}/workspaces/w/services/{name}",
            "PreventUpdate": False,
            "Resources": [{"Name": RESOURCE, "Location": location | {"SasBlobToken": f"?{token}"}}],
        }

    def _score(self, endpoint: str, body: Any) -> Any:
        table = body["Inputs"]["input1"]
        assert all(row[table["ColumnNames"].index("income")] is None for row in table["Values"])
        quality = float(self.served[endpoint].partition("=")[2])
        at = table["ColumnNames"].index("age")
        values = [[*row, ">50K", repr(_probability(float(row[at]), quality, row))] for row in table["Values"]]
        names = [*table["ColumnNames"], "Scored Labels", "Scored Probabilities"]
        value = {"ColumnNames": names, "ColumnTypes": ["String"] * len(names), "Values": values}
        return {"Results": {"output1": {"type": "table", "value": value}}}


_NAMES = ("NotStarted", "Running", "Failed", "Cancelled", "Finished")
_SPOILT: dict[str, Callable[[str], str]] = {
    "good": lambda token: token,
    "expired": lambda token: re.sub(r"(?<=[?&])se=[^&]*", "se=2020-01-01T00%3A00%3A00Z", token),
    "refused": lambda token: token.replace("sig=", "sig=wrong"),
}


def _probability(age: float, quality: float, row: list[Any]) -> float:
    """The older, the likelier; blurred by noise that is the same for the same row and quality."""
    digest = hashlib.sha256(json.dumps([round(quality, 6), row]).encode()).digest()
    noise = int.from_bytes(digest[:4], "big") / 2**32 - 0.5
    return 1 / (1 + math.exp(-((age - 45) / 10 * quality + 4 * noise * (1 - quality))))


def _address(location: dict[str, Any]) -> str:
    return f"{location['BaseLocation']}{location['RelativeLocation']}{location['SasBlobToken']}"


def _put(location: dict[str, Any], data: bytes) -> None:
    put = requests.put(_address(location), data=data, headers={"x-ms-blob-type": "BlockBlob"}, timeout=10)
    put.raise_for_status()


class _Handler(QuietHandler):
    service: ClassicService
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        if self.path == "/health/live":  # asked by everybody, without a key
            status, answer = 200, {"status": "live", "version": "classic-1"}
        elif self.headers.get("Authorization", "").startswith("Bearer planted-"):
            self.service.called_for.append(self.headers.get("x-ms-client-request-id", ""))
            status, answer = self.service.answer(
                self.command, self.path.partition("?")[0], json.loads(data) if data else None
            )
        else:
            self.send_error(401)
            return
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - the base class looks for these names
