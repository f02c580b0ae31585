"""
Prometheus metrics. What requests cost is counted as they are answered; what storage and catalog hold is read on demand.

With several serving processes each leaves its counts in a folder (STUDIO_METRICS_FOLDER, set by `serve`), so that
whichever process is asked answers for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from azure.core.exceptions import AzureError
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from studio.catalog import Catalog
from studio.store.job_overview import JobCounts, JobOverview
from studio.web.request_counts import RequestCounts, SharedFolder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "STUDIO_METRICS_FOLDER"
SCORING = "score"

_COUNTS_LAST_S = 15.0  # counting jobs reads their whole table: however often somebody asks, no more often than this


class Metrics:
    """
    Counts requests and writes everything out.

    Args:
        catalog: Returns what is published at present.
        folder: Where this process and others share their counts; None for one process alone.
    """

    def __init__(self, catalog: Callable[[], Catalog], jobs: JobOverview, folder: Path | None = None) -> None:
        self._counts = RequestCounts()
        self._shared = SharedFolder(folder) if folder else None
        self._shown = CollectorRegistry()
        for collector in (_Requests(self._total), _Models(catalog), _Jobs(jobs)):
            self._shown.register(collector)
        ProcessCollector(registry=self._shown)

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._counts.count(operation, status)
        if operation == SCORING:
            self._counts.time(seconds)

    @property
    def is_shared(self) -> bool:
        """Whether other processes count too."""
        return self._shared is not None

    def share(self) -> None:
        """Leave this process's counts to the others; to be called now and then."""
        if self._shared is not None:
            self._shared.put(self._counts)

    def written(self) -> bytes:
        """Return all metrics in the text format; may ask storage."""
        self.share()
        return generate_latest(self._shown)

    def _total(self) -> RequestCounts:
        return self._counts.plus(self._shared.others() if self._shared else ())


class _Requests(Collector):
    """Requests by operation and status, and how long scoring took."""

    def __init__(self, counts: Callable[[], RequestCounts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Add up what was counted."""
        counts = self._counts()
        requests = CounterMetricFamily("studio_requests", "Requests answered", labels=["operation", "status"])
        for (operation, status), n_requests in counts.answered.items():
            requests.add_metric([operation, str(status)], n_requests)
        yield requests
        name, meaning = "studio_scoring_seconds", "Time to answer a scoring request"
        yield HistogramMetricFamily(name, meaning, buckets=counts.buckets, sum_value=counts.seconds)


class _Models(Collector):
    """Which model each endpoint serves, as a label: a change of the label is a change of the model."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the catalog in memory."""
        catalog = self._catalog()
        models = GaugeMetricFamily(
            "studio_model_info", "Model that an endpoint serves", labels=["web_service", "endpoint", "model"]
        )
        for endpoint in catalog.endpoints.values():
            service = catalog.services.get(endpoint.service_id)
            if service is not None and endpoint.model:
                models.add_metric([service.name, endpoint.name, endpoint.model], 1)
        yield models


class _Jobs(Collector):
    """Jobs by state, and how long the oldest has waited for a worker; nothing while storage does not answer."""

    def __init__(self, jobs: JobOverview) -> None:
        self._jobs = jobs
        self._counts: JobCounts | None = None
        self._counted_at = -_COUNTS_LAST_S

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the jobs' table, unless that was done a moment ago."""
        answers = self._look()
        yield GaugeMetricFamily("studio_storage_up", "Whether storage answered when it was last asked", value=answers)
        if self._counts is None:
            return
        by_state = GaugeMetricFamily("studio_jobs", "Batch jobs by state", labels=["state"])
        for state, n_jobs in self._counts.by_state.items():
            by_state.add_metric([state.value.lower()], n_jobs)
        yield by_state
        since = self._counts.oldest_waiting_at
        age = (datetime.now(UTC) - since).total_seconds() if since else 0.0
        yield GaugeMetricFamily("studio_queue_age_seconds", "Age of the oldest job that waits for a worker", value=age)

    def _look(self) -> bool:
        if time.monotonic() - self._counted_at < _COUNTS_LAST_S:
            return self._counts is not None
        self._counted_at = time.monotonic()
        try:
            self._counts = self._jobs.counts()
        except AzureError:
            self._counts = None
        return self._counts is not None
