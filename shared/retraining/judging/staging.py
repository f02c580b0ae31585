"""The staging endpoint: models are put on it to be asked, before anybody else meets them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from shared.adapters.endpoints import EndpointClient
from shared.domain.gate import Fault
from shared.domain.measuring.holdout import Answered, Holdout, answered
from shared.domain.model import Model
from shared.errors import (
    EvaluationError,
    ProtocolMismatch,
    RowsMixedUp,
    ServiceError,
    ServiceRejected,
    ServiceUnavailable,
)
from shared.retraining.promoting.lease import Lease
from shared.wire import Cell

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

        def answers() -> Sequence[Sequence[Cell]] | None:
            return _probed(endpoint, rows, run_id)

        before = answers()
        if lease.record.staged_run:  # another model was put there under this lease
            lease.save(lambda record: replace(record, staged_run=""))
        put()
        until = time.monotonic() + self._settle.total_seconds()
        pause = 0.05
        while answers() == before and time.monotonic() < until:
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        lease.note(lambda record: replace(record, staged_run=made_by))  # lost with its worker: then it is put anew


def _probed(endpoint: EndpointClient, rows: Holdout, run_id: str) -> Sequence[Sequence[Cell]] | None:
    """Return an endpoint's answers to some rows; None where its model gives none, which is no fault of the next one."""
    try:
        return endpoint.score(rows.columns, rows.rows[:_PROBE_ROWS], run_id).rows
    except ServiceError as failed:
        if failed.status is None and isinstance(failed, ServiceUnavailable):
            raise
        return None


_UNSCORABLE = {
    "champion": Fault.CHAMPION_UNSCORABLE,
    "challenger": Fault.CHALLENGER_UNSCORABLE,
    "anchor": Fault.ANCHOR_UNSCORABLE,
}


def ask(endpoint: EndpointClient, model: Model, rows: Holdout, run_id: str, *, who: str) -> Answered:
    """
    Ask an endpoint for its answers to every row.

    Args:
        who: Whose model it serves: `champion`, `challenger` or `anchor`.

    Raises:
        EvaluationError: It answers other rows, none, or without the scored columns; named as in docs/gate.md.
        ServiceUnavailable: It may answer later.
    """
    try:
        return answered(endpoint.score(rows.columns, rows.rows, run_id), model.task)
    except RowsMixedUp as mixed:
        raise EvaluationError(f"{Fault.ROWS_DO_NOT_MATCH.value}: {who}: {mixed}") from mixed
    except (ServiceRejected, ProtocolMismatch) as failed:
        raise EvaluationError(f"{_UNSCORABLE[who].value}: {failed}") from failed
