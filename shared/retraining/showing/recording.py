"""Sees to it that every end of a run is in its model's chain of decisions."""

from __future__ import annotations

from shared.adapters.decisions import DecisionTable
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, Run


class Recording:
    """
    Records what came to nothing.

    Whoever judges or promotes records that before the run is saved. A failure, a cancellation and a lapse are often the
    work of a tick, which may lose its run to another worker: they are recorded once they stand.
    """

    def __init__(self, decisions: DecisionTable) -> None:
        self._decisions = decisions

    def record(self, run: Run) -> None:
        """Record how a run ended, unless that is there already."""
        if run.state not in CAME_TO_NOTHING:
            return
        evidence = {
            "reason": run.reason,
            "verdict": run.verdict,
            "datasets": list(run.datasets),
            "dataset_keys": list(run.dataset_keys),
            "champion_before": run.judged_champion,
            "approval": run.approval,
            "requested_by": run.requested_by,
            "cancelled_by": run.cancelled_by,
        }
        self._decisions.record(run.model, run.id, run.state.value, run.updated_at, evidence)
