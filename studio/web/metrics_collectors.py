"""The metrics as the Prometheus library takes them; imported when somebody first asks for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from studio.services.catalog import Catalog
from studio.store.job_overview import JobCounts, JobOverview
from studio.web.request_counts import RequestCounts

_COUNTS_LAST_S = 15.0  # counting jobs reads their whole table: however often somebody asks, no more often than this


def collectors(
    counts: Callable[[], RequestCounts], catalog: Callable[[], Catalog], jobs: JobOverview
) -> CollectorRegistry:
    """Put together what a scrape shows."""
    registry = CollectorRegistry()
    for collector in (_Requests(counts), _Models(catalog), _Jobs(jobs)):
        registry.register(collector)
    ProcessCollector(registry=registry)
    return registry


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
