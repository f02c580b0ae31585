"""
A training and scoring service that keeps the protocol's semantics and trains nothing.

Jobs start once, run for a moment, read their input and write their outputs by the references given; an endpoint serves
the bytes that a PATCH named. A "model" is a text with a quality, which the training file itself holds, so that a
thousand files are trained in minutes. What it did is kept for the balance at the end.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from typing import Any

import requests

RESOURCE = "Model [trained model]"
_EVAPORATES_S = 60.0
_ATTEMPTS = 8
Answer = tuple[int, Any]


@dataclass
class Job:
    """One batch job; `input` is the location of its training file."""

    body: dict[str, Any]
    submitted_at: float
    status: str = "NotStarted"
    details: str = ""

    @property
    def input(self) -> str:
        location: str = self.body["Inputs"]["input1"]["RelativeLocation"]
        return location


@dataclass
class Service:
    """Every model's training service and endpoints; `/stats` tells what was done."""

    jobs: dict[str, Job] = field(default_factory=dict)
    served: dict[str, str] = field(default_factory=dict)  # "model/endpoint" → model text
    starts: list[str] = field(default_factory=list)  # the input of every job that was started
    updates: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def answer(self, method: str, path: str, body: Any) -> Answer:
        parts = path.strip("/").split("/")
        if parts == ["stats"]:
            return 200, {"starts": self.starts, "updates": self.updates, "served": self.served}
        if parts == ["url"]:
            self.url = body  # of the proxy before this service: every address given out goes through it
            return 204, None
        kind, model, *rest = parts
        if kind == "services":
            return self._batch(method, rest[1:], body)
        if kind == "webservices":
            return self._manage(method, model, rest[-1], body)
        return self._score(f"{model}/{rest[-1]}", body)

    def _batch(self, method: str, rest: list[str], body: Any) -> Answer:
        with self.lock:
            if not rest:
                job_id = uuid.uuid4().hex
                self.jobs[job_id] = Job(body, time.monotonic())
                return 200, job_id
            job = self.jobs.get(rest[0])
            if job and job.status == "NotStarted" and time.monotonic() - job.submitted_at > _EVAPORATES_S:
                del self.jobs[rest[0]]
                job = None
            if job is None:
                return 404, _error("NotFound", "NotFound")
            if rest[1:] == ["start"]:
                if job.status != "NotStarted":
                    return 400, _error("InvalidOperation", "CannotStartJob")
                job.status = "Running"
                self.starts.append(job.input)
                threading.Thread(target=self._train, args=(job,), daemon=True).start()
                return 204, None
            if method == "DELETE":
                del self.jobs[rest[0]]
                return 204, None
            results = job.body["Outputs"] if job.status == "Finished" else None
            return 200, {"StatusCode": job.status, "Results": results, "Details": job.details or None}

    def _train(self, job: Job) -> None:
        try:
            data = _fetch(job.body["Inputs"]["input1"])
            quality = float(data.split(b"\n")[1].split(b",")[1])
            time.sleep(random.uniform(0.05, 0.8))
            for output in job.body["Outputs"].values():
                is_model = output["RelativeLocation"].endswith(".ilearner")
                text = f"quality={quality}" if is_model else f"AUC,Accuracy\n{0.5 + quality / 2},0.8\n"
                _put(output, text.encode())
            job.status = "Finished"
        except Exception as failed:  # a job's trouble is told by its status
            job.status, job.details = "Failed", f"{type(failed).__name__}"

    def _manage(self, method: str, model: str, name: str, body: Any) -> Answer:
        if method == "PATCH":
            (resource,) = body["Resources"]
            try:
                text = _fetch(resource["Location"]).decode()
            except requests.RequestException:
                return 503, _error("ServiceUnavailable", "NoMoreResources")
            self.served[f"{model}/{name}"] = text
            self.updates.append(f"{model}/{name} {text}")
            return 200, None
        location = {
            "BaseLocation": f"{self.url}/",
            "RelativeLocation": "published/model.ilearner",
            "SasBlobToken": "?a=b",
        }
        return 200, {
            "Name": name,
            "ApiLocation": f"{self.url}/score/{model}/{name}",
            "PreventUpdate": False,
            "Resources": [{"Name": RESOURCE, "Location": location}],
        }

    def _score(self, endpoint: str, body: Any) -> Answer:
        table = body["Inputs"]["input1"]
        at = table["ColumnNames"].index("x")
        quality = float(self.served.get(endpoint, PUBLISHED).partition("=")[2])
        values = [[*row, "yes", repr(_probability(float(row[at]), quality))] for row in table["Values"]]
        names = [*table["ColumnNames"], "Scored Labels", "Scored Probabilities"]
        value = {"ColumnNames": names, "ColumnTypes": ["String"] * len(names), "Values": values}
        return 200, {"Results": {"output1": {"type": "table", "value": value}}}


PUBLISHED = "quality=0.1"


def _probability(x: float, quality: float) -> float:
    """The larger x, the likelier; blurred by noise that is the same for the same x and quality."""
    digest = hashlib.sha256(f"{quality:.6f} {x}".encode()).digest()
    noise = int.from_bytes(digest[:4], "big") / 2**32 - 0.5
    return 1 / (1 + math.exp(-((x - 50) / 10 * quality + 4 * noise * (1 - quality))))


def _address(location: dict[str, Any]) -> str:
    return f"{location['BaseLocation']}{location['RelativeLocation']}{location['SasBlobToken']}"


def _fetch(location: dict[str, Any]) -> bytes:
    return _persistently("GET", _address(location))


def _put(location: dict[str, Any], data: bytes) -> None:
    _persistently("PUT", _address(location), data)


def _persistently(method: str, url: str, data: bytes | None = None) -> bytes:
    headers = {"x-ms-blob-type": "BlockBlob"} if data is not None else {}
    for attempt in range(_ATTEMPTS):
        try:
            done = requests.request(method, url, data=data, headers=headers, timeout=4)
            done.raise_for_status()
            return done.content
        except requests.RequestException:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError("not reached")


def _error(code: str, detail: str) -> Any:
    return {"error": {"code": code, "message": "refused", "details": [{"code": detail, "message": detail}]}}


class _Handler(BaseHTTPRequestHandler):
    service: Service
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        if path.startswith("/published/"):
            return self._send(200, PUBLISHED.encode())
        status, answer = self.service.answer(
            self.command, path.removesuffix("/execute"), json.loads(data) if data else None
        )
        return self._send(status, b"" if answer is None else json.dumps(answer).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815 - the base class looks for these names

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output clean."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Torn connections are the purpose."""


def run(control: Connection) -> None:
    """Serve until the other end says stop; send the port first."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"service": Service()}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    control.send(server.server_port)
    control.recv()
    server.shutdown()
