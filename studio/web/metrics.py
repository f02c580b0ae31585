"""
Prometheus metrics. What requests cost is counted as they are answered; what storage and catalog hold is read on demand.

With several serving processes the library keeps its numbers in files (PROMETHEUS_MULTIPROC_DIR), so that whichever
process is asked answers for all.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from azure.core.exceptions import AzureError
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from studio.catalog import Catalog
from studio.store.job_overview import JobCounts, JobOverview

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SCORING = "score"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_COUNTS_LAST_S = 15.0  # counting jobs reads their whole table: however often somebody asks, no more often than this


class Metrics:
    """
    Counts requests and writes everything out.

    Args:
        catalog: Returns what is published at present.
    """

    def __init__(self, catalog: Callable[[], Catalog], jobs: JobOverview) -> None:
        self._own = CollectorRegistry()
        self._requests = Counter("studio_requests", "Requests answered", ["operation", "status"], registry=self._own)
        self._seconds = Histogram(
            "studio_scoring_seconds", "Time to answer a scoring request", buckets=_SECONDS, registry=self._own
        )
        self._shown = _shared_by_processes() or self._own
        self._shown.register(_Models(catalog))
        self._shown.register(_Jobs(jobs))
        ProcessCollector(registry=self._shown)
        self._counters: dict[tuple[str, int], Counter] = {}

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request; takes a few microseconds."""
        key = (operation, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(operation, str(status))
        counter.inc()
        if operation == SCORING:
            self._seconds.observe(seconds)

    def written(self) -> bytes:
        """Return all metrics in the text format; may ask storage."""
        return generate_latest(self._shown)


def _shared_by_processes() -> CollectorRegistry | None:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # where the library itself looks, when it is imported
        return None
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


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
