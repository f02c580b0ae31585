"""What a run took of the training service, and what that costs at the declared price."""

from __future__ import annotations

from typing import Any

from shared.domain.lifecycle.runs import Run, RunState
from shared.domain.model import Price

_HOUR_S = 3600


def cost_facts(run: Run, price: Price | None) -> dict[str, Any]:
    """
    Describe the cost of a run's training.

    Returns:
        `training_seconds`: from the job's start to its end, as the app saw both, so up to a tick of the poll too long;
        None where nothing trained. `amount`: those at the declared price; None where none is declared.
    """
    seconds = _seconds_in(run, RunState.TRAINING)
    amount = seconds / _HOUR_S * price.per_hour if price and seconds is not None else None
    return {
        "training_seconds": seconds,
        "price_per_hour": price.per_hour if price else None,
        "currency": price.currency if price else None,
        "amount": amount,
    }


def _seconds_in(run: Run, wanted: RunState) -> float | None:
    ends = [at for _, at in run.stages[1:]] + [None]
    spent = [
        (end - at).total_seconds()
        for (state, at), end in zip(run.stages, ends, strict=True)
        if state == wanted.value and end
    ]
    return sum(spent) if spent else None
