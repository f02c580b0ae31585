"""When a person is asked before a promotion, and who may answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from shared.domain.lifecycle.runs import TRANSITIONS, Run, RunKind, RunState


class AskWhen(Enum):
    """When a person is asked; the value is what models.toml says."""

    NEVER = "never"  # nobody is asked: what the gate holds is rejected
    ON_HOLD = "on-hold"
    ALWAYS = "always"


@dataclass(frozen=True)
class Approval:
    """
    A model's rule of approval.

    Attributes:
        ask: When a person is asked.
        allow_self: Whether who asked for a run, or uploaded a file of it, may approve it.
    """

    ask: AskWhen = AskWhen.ON_HOLD
    allow_self: bool = True

    def objection(self, by: str, reason: str, requesters: Iterable[str]) -> str:
        """
        Say why this person's decision does not count; empty when it does.

        Args:
            requesters: Who asked for the run, and who uploaded its files, where that is known.
        """
        if not by.strip():
            return "who decides is missing: give `by`"
        if not reason.strip():
            return "the reason is missing: give `reason`"
        if not self.allow_self and by.strip().casefold() in {name.strip().casefold() for name in requesters}:
            theirs = f"'{by}' asked for this run, or uploaded a file of it"
            return f"{theirs}; another person has to decide (`approval.allow_self = false`)"
        return ""


def refusal(run: Run, decision: str) -> str:
    """Say why a run that is not HELD cannot be approved or rejected, and what comes nearest."""
    why = f" ({run.reason})" if run.reason else ""
    said = (
        f"run '{run.id}' cannot be {_DONE[decision]} now: it is {run.state.value}{why}, and only a HELD run is decided"
    )
    nearest = _nearest(run, decision)
    return f"{said}; {nearest}" if nearest else said


_DONE = {"approve": "approved", "reject": "rejected"}


def _nearest(run: Run, decision: str) -> str:
    if decision == "reject" and run.state is RunState.PROMOTED:
        return f"to bring the model before it back: relearn rollback {run.model} --reason WHY"
    if decision == "reject" and RunState.CANCELLED in TRANSITIONS[run.state] and run.approval is None:
        return f"to end it: relearn cancel {run.id} --reason WHY"
    if decision == "approve" and run.state is RunState.REJECTED and run.kind is RunKind.TRAINING:
        return f"to promote it all the same: relearn override {run.id} --reason WHY"
    return ""
