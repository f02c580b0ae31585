"""Metrics: what a scrape shows after requests, jobs and updates; who may look; and what an outage does to it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from exchanges import ROW, TOKEN, Jobs, Published, bearer, error_of
from prometheus_client.parser import text_string_to_metric_families

from studio.services.catalog import Catalog
from studio.store.job_overview import JobCounts
from studio.web import app
from studio.web.metrics import Metrics
from studio.web.request_counts import RequestCounts, SharedFolder

Sample = tuple[str, frozenset[tuple[str, str]]]


def scrape(published: Published) -> dict[Sample, float]:
    """Read all samples, by name and labels, as Prometheus does."""
    answer = published.client.get("/metrics", headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return samples(answer.text)


def samples(text: str) -> dict[Sample, float]:
    families = text_string_to_metric_families(text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def named(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


def execute(published: Published, key: str | None = None) -> int:
    headers = published.headers("live") if key is None else bearer(key)
    address = f"{published.endpoint('live')['api_location']}/execute"
    return published.client.post(address, headers=headers, json=ROW).status_code


def test_requests_are_counted_by_operation_and_status(published: Published) -> None:
    for key in (None, None, "wrong"):
        execute(published, key)
    published.client.get(published.endpoint("live")["management_url"], headers=published.headers("live"))
    published.client.get("/nowhere")

    shown = scrape(published)

    assert shown[named("studio_requests_total", operation="score", status="200")] == 2
    assert shown[named("studio_requests_total", operation="score", status="401")] == 1
    assert shown[named("studio_requests_total", operation="get_endpoint", status="200")] == 1
    assert shown[named("studio_requests_total", operation="none", status="404")] == 1


def test_scoring_latency_is_a_histogram_of_scoring_alone(published: Published) -> None:
    execute(published)
    published.client.get("/health/live")

    shown = scrape(published)

    assert shown[named("studio_scoring_seconds_count")] == 1
    assert 0 < shown[named("studio_scoring_seconds_sum")] < 10
    assert shown[named("studio_scoring_seconds_bucket", le="+Inf")] == 1


def test_jobs_are_counted_by_state_with_the_age_of_the_oldest_that_waits(
    published: Published, jobs: Jobs, request_body: dict[str, Any]
) -> None:
    job = jobs.submit(request_body)
    jobs.submit(request_body)
    jobs.call("POST", f"/{job}/start")

    shown = scrape(published)

    own = {state: shown[named("studio_jobs", state=state)] for state in ("submitted", "queued", "running", "finished")}
    assert own["submitted"] >= 1
    assert own["queued"] >= 1
    assert shown[named("studio_queue_age_seconds")] > 0
    assert shown[named("studio_storage_up")] == 1


def test_the_model_of_each_endpoint_is_shown(published: Published) -> None:
    models = {labels for name, labels in scrape(published) if name == "studio_model_info"}

    shown = {(dict(labels)["endpoint"], dict(labels)["model"]) for labels in models}
    catalog = published.service.registry.catalog
    assert shown == {(endpoint.name, endpoint.model) for endpoint in catalog.endpoints.values() if endpoint.model}
    assert len(shown) == 3


def test_only_the_workspace_token_opens_the_metrics(published: Published) -> None:
    answers = [published.client.get("/metrics"), published.client.get("/metrics", headers=published.headers("live"))]

    assert [error_of(answer)[0] for answer in answers] == [401, 401]


def test_metrics_hold_no_key(published: Published) -> None:
    text = published.client.get("/metrics", headers=bearer(TOKEN)).text

    assert published.endpoint("live")["primary_key"] not in text
    assert TOKEN not in text


class Overview:
    """A jobs' table that counts how often it is read, and can be out."""

    def __init__(self) -> None:
        self.n_reads = 0
        self.is_out = False

    def counts(self) -> JobCounts:
        self.n_reads += 1
        if self.is_out:
            raise ServiceRequestError("no answer")
        return JobCounts({}, None)


def test_an_outage_of_storage_shows_and_hides_nothing_else() -> None:
    overview = Overview()
    overview.is_out = True
    metrics = Metrics(Catalog, lambda: overview)  # type: ignore[arg-type, return-value]
    metrics.count("score", 200, 0.001)

    shown = samples(metrics.written().decode())

    assert shown[named("studio_storage_up")] == 0
    assert shown[named("studio_requests_total", operation="score", status="200")] == 1
    assert not any(name == "studio_jobs" for name, _ in shown)


def test_many_scrapes_read_the_jobs_once() -> None:
    overview = Overview()
    metrics = Metrics(Catalog, lambda: overview)  # type: ignore[arg-type, return-value]

    for _ in range(5):
        metrics.written()

    assert overview.n_reads <= 2  # once when the collectors are registered, once for the scrapes


def test_several_processes_count_together(tmp_path: Path) -> None:
    first, second = (Metrics(Catalog, Overview, tmp_path) for _ in range(2))  # type: ignore[arg-type]
    first.count("score", 200, 0.001)
    second.count("score", 200, 0.004)
    second.count("score", 503, 0.2)
    first.share()

    shown = samples(second.written().decode())

    assert shown[named("studio_requests_total", operation="score", status="200")] == 2
    assert shown[named("studio_requests_total", operation="score", status="503")] == 1
    assert shown[named("studio_scoring_seconds_count")] == 3
    assert shown[named("studio_scoring_seconds_sum")] == pytest.approx(0.205)
    assert shown[named("studio_scoring_seconds_bucket", le="0.001")] == 1
    assert shown[named("studio_scoring_seconds_bucket", le="0.005")] == 2


def test_counts_of_a_process_that_ended_stay(tmp_path: Path) -> None:
    ended = Metrics(Catalog, Overview, tmp_path)  # type: ignore[arg-type]
    ended.count("score", 200, 0.001)
    ended.share()
    del ended

    fresh = Metrics(Catalog, Overview, tmp_path)  # type: ignore[arg-type]

    shown = samples(fresh.written().decode())
    assert shown[named("studio_requests_total", operation="score", status="200")] == 1


def test_counts_are_left_by_the_event_loop_and_by_scrapes_at_the_same_time(tmp_path: Path) -> None:
    folder, counts = SharedFolder(tmp_path), RequestCounts()
    counts.count("score", 200)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(folder.put, counts) for _ in range(400)]:
            done.result()

    (others,) = SharedFolder(tmp_path).others()
    assert others.answered == {("score", 200): 1}


def test_sharing_goes_on_after_the_folder_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(app, "_SHARED_EVERY_S", 0.01)
    folder = tmp_path / "counts"
    metrics = Metrics(Catalog, Overview, folder)  # type: ignore[arg-type]

    async def share_through_a_fault() -> None:
        task = asyncio.create_task(app._share(metrics))
        await asyncio.sleep(0.05)
        folder.mkdir()
        while not list(folder.glob("*.json")):
            assert not task.done()
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(asyncio.wait_for(share_through_a_fault(), 10))

    assert [record.message.split()[0] for record in caplog.records] == ["metrics.not_shared"]
