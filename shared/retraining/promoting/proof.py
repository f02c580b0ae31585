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
from shared.retraining.promoting.golden_rows import GoldenRows


@dataclass(frozen=True)
class Proof:
    """What the golden rows showed: how many there were, the seconds until they answered as expected, the answers."""

    rows: int
    seconds: float | None
    answers: list[Any] | None = None

    @property
    def holds(self) -> bool:
        """Whether the endpoint was seen to answer as expected."""
        return self.seconds is not None


def prove(
    endpoint: EndpointClient, expected: GoldenRows, who: str, task: Task, run_id: str, patience: timedelta
) -> Proof:
    """Ask the golden rows until the endpoint answers as `challenger` or `champion` did, or patience is over."""
    n_rows, started, pause = len(expected.rows), time.monotonic(), 0.05
    while True:
        given = answers_of(endpoint.score(expected.columns, expected.rows, run_id), task)
        spent = time.monotonic() - started
        if _is_seen(who, expected, given):
            return Proof(n_rows, spent, given.tolist())
        if spent + pause > patience.total_seconds():
            return Proof(n_rows, None)
        time.sleep(pause)
        pause = min(2 * pause, 2.0)


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
