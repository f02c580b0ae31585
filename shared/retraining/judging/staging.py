"""The staging endpoint: models are put on it to be asked, before anybody else meets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared.adapters.endpoints import EndpointClient
from shared.adapters.models_table import ModelTable
from shared.domain.measuring.holdout import Answered, Holdout, answered
from shared.domain.model import Model

_PROBE_ROWS = 20


class Staging:
    """Puts models on a model's staging endpoint; the caller holds the lease."""

    def __init__(self, records: ModelTable, *, settle: timedelta = timedelta(seconds=30)) -> None:
        """
        Args:
            settle: How long the endpoint may go on answering with the model it had before.
        """
        self._records, self._settle = records, settle

    def install(
        self, endpoint: EndpointClient, model: Model, made_by: str, put: Callable[[], None], rows: Holdout, run_id: str
    ) -> None:
        """
        Put the model that a run made on the endpoint, and wait until it is seen to answer otherwise than before.

        Args:
            put: Updates the endpoint.
        """
        record = self._records.load(model.name)
        if record.staged_run == made_by:
            return
        probe = rows.rows[:_PROBE_ROWS]
        before = endpoint.score(rows.columns, probe, run_id).rows
        self._records.save(replace(record, staged_run=""))
        put()
        until = time.monotonic() + self._settle.total_seconds()
        pause = 0.05
        while endpoint.score(rows.columns, probe, run_id).rows == before and time.monotonic() < until:
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        record = self._records.load(model.name)
        self._records.save(replace(record, staged_run=made_by))


def ask(endpoint: EndpointClient, model: Model, rows: Holdout, run_id: str) -> Answered:
    """Ask an endpoint for its answers to every row."""
    return answered(endpoint.score(rows.columns, rows.rows, run_id), model.task)
