"""How long a run may stay in each stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.domain.lifecycle.runs import Run


@dataclass(frozen=True)
class Policy:
    """
    The deadlines of one model's runs.

    Attributes:
        queued_budget: From receipt to the start of the job; waiting for a limit of the model's own does not count.
        training_budget: From the start to the end of the job; afterwards the job is cancelled.
        evaluation_budget: From the job's end to a verdict.
        promoting_budget: From the intent to the proof; afterwards the champion is put back. While it is put back, the
            time from which each attempt is an alarm.
        proof_budget: How long the live endpoint may take to give the answers that prove a promotion or a restoration.
        approval_budget: How long a held run waits for a person.
        handover_patience: How long a run that nobody works on waits before it is handed over to evaluation again.
        lost_after: How long the message that hands it over may take before it counts as lost. Long: a queue may be,
            and a message that was only slow is work for nothing.
    """

    queued_budget: timedelta = timedelta(hours=24)
    training_budget: timedelta = timedelta(hours=6)
    evaluation_budget: timedelta = timedelta(minutes=30)
    promoting_budget: timedelta = timedelta(minutes=30)
    proof_budget: timedelta = timedelta(minutes=1)
    approval_budget: timedelta = timedelta(days=7)
    handover_patience: timedelta = timedelta(seconds=5)
    lost_after: timedelta = timedelta(minutes=5)

    def budget_of(self, stage: str) -> timedelta | None:
        """Return how long a run may be in a stage; None where it may wait for ever."""
        return {
            "RECEIVED": self.queued_budget,
            "SUBMITTED": self.queued_budget,
            "TRAINING": self.training_budget,
            "EVALUATING": self.evaluation_budget,
            "HELD": self.approval_budget,
            "PROMOTING": self.promoting_budget,
            "RESTORING": self.promoting_budget,
        }.get(stage)


def is_overdue(run: Run, now: datetime, policy: Policy) -> bool:
    """Whether a run has been in its stage for longer than it may."""
    budget = policy.budget_of(run.state.value)
    return budget is not None and now - run.stage_began_at > budget
