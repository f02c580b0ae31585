"""The proof of what serves: golden rows must answer as the model does that was put there. A 200 is not success."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from shared.adapters.endpoints import EndpointClient
from shared.domain.measuring import golden
from shared.domain.measuring.answers import answers_of
from shared.domain.task import Task
from shared.errors import ProtocolMismatch, RowsMixedUp, ServiceUnavailable
from shared.retraining.promoting.golden_rows import GoldenRows


@dataclass(frozen=True)
class Proof:
    """How many golden rows there were, the seconds until they answered as expected, the answers or the last error."""

    rows: int
    seconds: float | None
    answers: list[Any] | None = None
    failure: str = ""

    @property
    def holds(self) -> bool:
        """Whether the endpoint was seen to answer as expected."""
        return self.seconds is not None


def prove(
    endpoint: EndpointClient, expected: GoldenRows, who: str, task: Task, run_id: str, patience: timedelta
) -> Proof:
    """
    Ask the golden rows until the endpoint answers as `challenger` or `champion` did, or patience is over.

    Raises:
        ServiceUnavailable: The service does not answer at all.
        ServiceRejected: It refuses the rows.
    """
    n_rows, started, pause = len(expected.rows), time.monotonic(), 0.05
    while True:
        given, failure = _answers(endpoint, expected, task, run_id)
        spent = time.monotonic() - started
        if given is not None and _is_seen(who, expected, given):
            return Proof(n_rows, spent, given.tolist())
        if spent + pause > patience.total_seconds():
            return Proof(n_rows, None, failure=failure)
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


def _answers(endpoint: EndpointClient, expected: GoldenRows, task: Task, run_id: str) -> tuple[Any, str]:
    """Return what the endpoint answers, or what it says instead; a model that fails is one that does not agree."""
    try:
        return answers_of(endpoint.score(expected.columns, expected.rows, run_id), task), ""
    except (ServiceUnavailable, ProtocolMismatch, RowsMixedUp) as failed:
        if isinstance(failed, ServiceUnavailable) and failed.status is None:
            raise  # nobody answers: that is the service's state, whatever the model
        return None, str(failed)


def _is_seen(who: str, expected: GoldenRows, given: Any) -> bool:
    """
    Whether answers are those of `who`.

    Without a staging endpoint nobody knows the challenger's answers: it is seen when live answers otherwise than the
    champion did. A champion that could not be asked is seen when live answers at all.
    """
    known = expected.of(who)
    if known is not None:
        return golden.agree(known, given)
    return golden.agree(given, given) and (
        who == "champion" or bool(golden.choose(np.asarray(expected.champion), given))
    )
