"""Calls that provoke the errors of the protocol, each by what a program would send."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.storage.blob import ContainerClient
from exchanges import DATA, ROW, TOKEN, Jobs, Published, bearer, people

from studio.engine.experiment import parse_experiment
from studio.engine.scorer import Scorer
from studio.engine.training import train
from studio.serving.model_cache import ModelCache
from studio.store.artifacts import ArtifactKind, ArtifactMissing
from studio.store.jobs import JobStore
from studio.web.key_guard import KeyGuard
from studio.web.news import News
from studio.web.scoring import ScoringApp

DECLARATION = (DATA / "income.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Caller:
    """Sends what provokes an error to one publication; `strict` is another whose parameters have no defaults."""

    published: Published
    strict: Published
    box: ContainerClient
    blob: dict[str, Any]
    folder: Path
    patch: pytest.MonkeyPatch
    start_again: Callable[[Published], Published]

    @property
    def workspace(self) -> str:
        return str(self.published.json["workspace"])

    def strictly(self) -> Caller:
        return replace(self, published=self.strict)

    def send(self, method: str, url: str, **sent: Any) -> httpx.Response:
        sent.setdefault("headers", bearer(TOKEN))
        return self.published.client.request(method, url, **sent)

    def submit(self, endpoint: str | None = None, **parts: Any) -> httpx.Response:
        return Jobs(self.published, endpoint).call("POST", "", json={"Inputs": {"input1": self.blob}, **parts})

    def submit_blob(self, **fields: Any) -> httpx.Response:
        return self.submit(Inputs={"input1": {**self.blob, **fields}})

    def score(self, endpoint: str = "live", **sent: Any) -> httpx.Response:
        url = f"{self.published.endpoint(endpoint)['api_location']}/execute"
        return self.send("POST", url, headers=self.published.headers(endpoint), **sent)

    def score_cells(self, columns: list[str], row: list[object]) -> httpx.Response:
        return self.score(json={"Inputs": {"input1": {"ColumnNames": columns, "Values": [row]}}})

    def update(self, body: object = None, endpoint: str = "live") -> httpx.Response:
        sent = {} if body is None else {"json": body}
        return self.send("PATCH", self.published.endpoint(endpoint)["management_url"], **sent)

    def update_model(self, name: str, **fields: Any) -> httpx.Response:
        location = {**self.blob, "RelativeLocation": f"{self.box.container_name}/{name}", **fields}
        resource = self.published.json["predictive"]["resource"]
        return self.update({"Resources": [{"Name": resource, "Location": location}]})

    def update_definition(self, **properties: Any) -> httpx.Response:
        service = self.published.json["predictive"]["web_service"]
        group = f"/subscriptions/{self.workspace}/resourceGroups/rg/providers/Microsoft.MachineLearning/webServices"
        return self.send("PATCH", f"{group}/{service}", json={"properties": properties})

    def start_twice(self) -> httpx.Response:
        jobs = Jobs(self.published)
        job_id = self.submit().json()
        jobs.call("POST", f"/{job_id}/start")
        return jobs.call("POST", f"/{job_id}/start")

    def update_with_other_columns(self) -> httpx.Response:
        data = people(self.folder / "rows.csv", 100)
        data.write_text(data.read_text().replace("hours", "pay"))
        other = parse_experiment(DECLARATION.replace("hours", "pay"), "other")
        self.box.upload_blob("other.ilearner", train(other, data, ".csv", threads=1).model_file)
        return self.update_model("other.ilearner")

    def update_with_no_model(self) -> httpx.Response:
        self.box.upload_blob("bytes.ilearner", b"no model")
        return self.update_model("bytes.ilearner")

    def without_a_model(self) -> httpx.Response:
        def load(cache: ModelCache, digest: str) -> Scorer:
            raise ArtifactMissing(ArtifactKind.MODEL, digest)

        self.patch.setattr(ModelCache, "loaded", lambda *_: None)
        self.patch.setattr(ModelCache, "load", load)
        return self.score(json=ROW)

    def after_a_start_with(self, stored: bytes | None) -> httpx.Response:
        """Score by a process that starts while the endpoint names a model that is not stored, or is none."""
        service = self.published.service
        digest = service.artifacts.put(ArtifactKind.MODEL, stored) if stored else "0" * 64
        with self.serving(digest):
            again = self.start_again(self.published)
            url = f"{again.endpoint('live')['api_location']}/execute"
            return again.client.post(url, headers=again.headers("live"), json=ROW)

    @contextmanager
    def serving(self, model: str) -> Iterator[None]:
        """Have the catalog name another model for a while."""
        service = self.published.service

        def save(model: str) -> str:
            endpoint = service.catalog.read().endpoint_named(self.published.publication.predictive.id, "live")
            assert endpoint is not None
            service.store.save([replace(endpoint, model=model)])
            return endpoint.model

        before = save(model)
        try:
            yield
        finally:
            save(before)
            service.registry.refresh()

    def too_slowly(self) -> httpx.Response:
        registry, endpoint = self.published.service.registry, self.published.endpoint("live")
        app = ScoringApp(registry, KeyGuard(), News(registry), body_seconds=0.05)

        async def body() -> AsyncIterator[bytes]:
            yield b'{"Inputs": '
            await asyncio.sleep(30)

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
                url, headers = f"{endpoint['api_location']}/execute", self.published.headers("live")
                return await client.post(url, headers=headers, content=body())

        return asyncio.run(call())

    def without_storage(self) -> httpx.Response:
        def get(store: JobStore, *ids: str) -> None:
            raise ServiceRequestError("refused")

        self.patch.setattr(JobStore, "get", get)
        return Jobs(self.published).call("GET", f"/{'0' * 32}")

    def with_a_fault_of_ours(self) -> httpx.Response:
        def score(scorer: Scorer, *table: object) -> None:
            raise AssertionError

        self.patch.setattr(Scorer, "score", score)
        return self.score(json=ROW)

    def beyond_the_maximum(self) -> httpx.Response:
        entered, leave = threading.Event(), threading.Event()

        def score(scorer: Scorer, columns: object, rows: list[object]) -> list[object]:
            entered.set()
            leave.wait(10)
            return []

        self.update({"MaxConcurrentCalls": 1}, "staging")
        self.patch.setattr(Scorer, "score", score)
        many = {"Inputs": {"input1": {**ROW["Inputs"]["input1"], "Values": [["40", "40", "clerk"]] * 10_000}}}
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(self.score, "staging", json=many)
            entered.wait(10)
            refused = self.score("staging", json=ROW)
            leave.set()
            first.result()
        return refused
