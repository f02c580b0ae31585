"""The judged runs of a model, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.domain.lifecycle.runs import Run

_SHOWN = 20
_VALUES = ("metric", "champion", "challenger", "gain", "lower", "upper")


def history_of(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """List the newest runs in which champion and challenger were compared, oldest first."""
    compared = [(run, run.verdict) for run in runs if run.verdict and run.verdict.get("challenger") is not None]
    compared.sort(key=lambda pair: pair[0].created_at)
    return [
        {"run": run.id, "at": run.created_at.isoformat(), "state": run.state.value}
        | {name: verdict.get(name) for name in _VALUES}
        for run, verdict in compared[-_SHOWN:]
    ]
