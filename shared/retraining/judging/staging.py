"""The staging endpoint: models are put on it to be asked, before anybody else meets them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from shared.adapters.endpoints import EndpointClient
from shared.domain.measuring.holdout import Answered, Holdout, answered
from shared.domain.model import Model
from shared.retraining.promoting.lease import Lease

_PROBE_ROWS = 20


class Staging:
    """Puts models on a model's staging endpoint."""

    def __init__(self, *, settle: timedelta = timedelta(seconds=30)) -> None:
        """
        Args:
            settle: How long the endpoint may go on answering with the model it had before.
        """
        self._settle = settle

    def install(
        self, endpoint: EndpointClient, lease: Lease, made_by: str, put: Callable[[], None], rows: Holdout, run_id: str
    ) -> None:
        """
        Put the model that a run made on the endpoint, and wait until it is seen to answer otherwise than before.

        Args:
            lease: The model's, which is held.
            put: Updates the endpoint.
        """
        if lease.record.staged_run == made_by:
            return
        probe = rows.rows[:_PROBE_ROWS]
        before = endpoint.score(rows.columns, probe, run_id).rows
        if lease.record.staged_run:  # another model was put there under this lease
            lease.save(lambda record: replace(record, staged_run=""))
        put()
        until = time.monotonic() + self._settle.total_seconds()
        pause = 0.05
        while endpoint.score(rows.columns, probe, run_id).rows == before and time.monotonic() < until:
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        lease.note(lambda record: replace(record, staged_run=made_by))  # lost with its worker: then it is put anew


def ask(endpoint: EndpointClient, model: Model, rows: Holdout, run_id: str) -> Answered:
    """Ask an endpoint for its answers to every row."""
    return answered(endpoint.score(rows.columns, rows.rows, run_id), model.task)
