"""The section `budgets`: how long a run may wait."""

from __future__ import annotations

from datetime import timedelta

from shared.declarations.section import Section
from shared.domain.lifecycle.budgets import Policy

_MINUTE = timedelta(minutes=1)
_YEAR_MIN = 525_600


def read_policy(section: Section) -> Policy:
    """Read the budgets; what is not given keeps its default."""
    plain = Policy()

    def minutes(key: str, usual: timedelta) -> timedelta:
        return timedelta(minutes=section.number(key, usual / _MINUTE, 0.01, _YEAR_MIN))

    policy = Policy(
        queued_budget=minutes("queued_min", plain.queued_budget),
        training_budget=minutes("training_min", plain.training_budget),
        evaluation_budget=minutes("evaluation_min", plain.evaluation_budget),
        promoting_budget=minutes("promoting_min", plain.promoting_budget),
        proof_budget=minutes("proof_min", plain.proof_budget),
        approval_budget=minutes("approval_min", plain.approval_budget),
    )
    section.close()
    return policy
