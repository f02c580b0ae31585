"""The section `budgets`: how long a run may wait."""

from __future__ import annotations

from datetime import timedelta

from shared.declarations.section import Section
from shared.domain.runs import Policy

_MINUTE = timedelta(minutes=1)
_YEAR_MIN = 525_600


def read_policy(section: Section) -> Policy:
    """Read the budgets; what is not given keeps its default."""
    plain = Policy()
    policy = Policy(
        training_budget=timedelta(
            minutes=section.number("training_min", plain.training_budget / _MINUTE, 0.01, _YEAR_MIN)
        ),
        evaluation_budget=timedelta(
            minutes=section.number("evaluation_min", plain.evaluation_budget / _MINUTE, 0.01, _YEAR_MIN)
        ),
    )
    section.close()
    return policy
