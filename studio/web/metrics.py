"""
Prometheus metrics. What requests cost is counted as they are answered; what storage and catalog hold is read on demand.

With several serving processes each leaves its counts in a folder (STUDIO_METRICS_FOLDER, set by `serve`), so that
whichever process is asked answers for all.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from studio.services.catalog import Catalog
from studio.web.request_counts import RequestCounts, SharedFolder

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "STUDIO_METRICS_FOLDER"
SCORING = "score"

_ADDED_TOGETHER = 1024

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from studio.store.job_overview import JobOverview


class Metrics:
    """
    Counts requests and writes everything out.

    Args:
        catalog: Returns what is published at present.
        jobs: Opens the table of jobs, when somebody first asks for metrics.
        folder: Where this process and others share their counts; None for one process alone.
    """

    def __init__(
        self, catalog: Callable[[], Catalog], jobs: Callable[[], JobOverview], folder: Path | None = None
    ) -> None:
        self._counts = RequestCounts()
        self._scored: deque[tuple[int, float]] = deque()
        self._adding = threading.Lock()
        self._shared = SharedFolder(folder) if folder else None
        self._catalog, self._jobs = catalog, jobs

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        if operation == SCORING:
            self.count_scored(status, seconds)
        else:
            self._counts.count(operation, status)

    def count_scored(self, status: int, seconds: float) -> None:
        """Count one scoring call; many are added up together, which is quicker than one after the other."""
        self._scored.append((status, seconds))
        if len(self._scored) >= _ADDED_TOGETHER:
            self._add_up()

    def _add_up(self) -> None:
        with self._adding, suppress(IndexError):
            while True:
                status, seconds = self._scored.popleft()
                self._counts.count(SCORING, status)
                self._counts.time(seconds)

    @property
    def is_shared(self) -> bool:
        """Whether other processes count too."""
        return self._shared is not None

    def share(self) -> None:
        """Leave this process's counts to the others; to be called now and then."""
        if self._shared is not None:
            self._add_up()
            self._shared.put(self._counts)

    def written(self) -> bytes:
        """Return all metrics in the text format; may ask storage."""
        from prometheus_client import generate_latest

        self.share()
        return generate_latest(self._shown)

    @cached_property
    def _shown(self) -> CollectorRegistry:
        from studio.web.metrics_collectors import collectors

        return collectors(self._total, self._catalog, self._jobs())

    def _total(self) -> RequestCounts:
        self._add_up()
        return self._counts.plus(self._shared.others() if self._shared else ())
