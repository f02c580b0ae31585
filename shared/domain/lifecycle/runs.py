"""
A run: one attempt to turn training data into the live endpoint's next model.

Source: docs/architecture.md, "Run states".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from shared.domain.gate import is_unpaired
from shared.domain.lifecycle.announcement import Announcement
from shared.errors import IllegalTransition

_CANCELLED_BY = "cancelled by "
ITSELF = "Relearn"  # who asks for what the app does of its own accord: to end an override


class RunKind(Enum):
    """What a run is for."""

    TRAINING = "training"  # a new model from data
    ROLLBACK = "rollback"  # a model that served before comes back
    OVERRIDE = "override"  # a model that was judged and not promoted is put live by a person


class RunState(Enum):
    """Where a run stands; the value is what tables, logs and answers show."""

    RECEIVED = "RECEIVED"  # the data is accepted; no job is known yet
    SUBMITTED = "SUBMITTED"  # the job's id is saved; it may not have been started
    TRAINING = "TRAINING"  # the job was started
    EVALUATING = "EVALUATING"  # the job finished; its model is being judged
    HELD = "HELD"  # the verdict is saved; a person decides
    PROMOTING = "PROMOTING"  # the verdict is saved; the live endpoint is being changed
    RESTORING = "RESTORING"  # the proof failed; the champion is being put back
    PROMOTED = "PROMOTED"  # the live endpoint was seen to give the challenger's answers
    REJECTED = "REJECTED"  # the gate refused the challenger: a success of the system
    NO_CHANGE = "NO_CHANGE"  # challenger and champion cannot be told apart
    SUPERSEDED = "SUPERSEDED"  # newer data has overtaken it
    ROLLED_BACK = "ROLLED_BACK"  # the champion was put back and seen to answer
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows."""
        return not TRANSITIONS[self]


_S = RunState
CAME_TO_NOTHING = frozenset({_S.FAILED, _S.CANCELLED, _S.TIMED_OUT})
_ENDS = CAME_TO_NOTHING
TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _S.RECEIVED: _ENDS | {_S.SUBMITTED},
    _S.SUBMITTED: _ENDS | {_S.SUBMITTED, _S.TRAINING, _S.EVALUATING},
    _S.TRAINING: _ENDS | {_S.EVALUATING},
    _S.EVALUATING: _ENDS | {_S.HELD, _S.PROMOTING, _S.REJECTED, _S.NO_CHANGE, _S.SUPERSEDED},
    # A person's no, and a champion that changed meanwhile, go through EVALUATING: to be recorded, or judged anew.
    _S.HELD: frozenset({_S.PROMOTING, _S.EVALUATING, _S.CANCELLED, _S.TIMED_OUT}),
    # Once the PATCH may have been sent there are two ways out only: proven, or the champion is back.
    _S.PROMOTING: frozenset({_S.PROMOTED, _S.RESTORING, _S.EVALUATING}),
    _S.RESTORING: frozenset({_S.ROLLED_BACK}),
    **{
        state: frozenset()
        for state in (_S.PROMOTED, _S.REJECTED, _S.NO_CHANGE, _S.SUPERSEDED, _S.ROLLED_BACK, *sorted(_ENDS, key=str))
    },
}


@dataclass(frozen=True)
class Run:
    """
    One stored run.

    Instants are timezone-aware UTC. `datasets` are names for people, `dataset_keys` the ledger's keys.
    `training_blob` and `artifacts` are `container/path`; the job trains on the version `training_etag` of the one and
    writes its outputs below the other. `verdict` is the judged evidence as plain JSON. `version` is the ETag read.

    Attributes:
        attempts: Failed attempts in a row at the next step.
        due_at: Before this instant no tick looks at the run; None means now.
        waits_for: In words, what an open run waits for beside its job; empty when nothing holds it back.
        queued_since: From when its time in the queue counts, where that is not its creation.
        cancel_reason: Who wants it cancelled and why; empty when nobody does.
        stray_jobs: Jobs that the service may hold for this run beside `job_id`; they are to be cancelled.
        kind: A rollback or an override trains nothing.
        restores: The run whose kept model a rollback or an override puts live, or `initial`.
        until: When an override ends; None where it lasts until another model goes live.
        requested_by: Who asked for the run; empty where data alone did. `request_reason` says why.
        approval: What a person decided of a held run: `decision` ("approve" or "reject"), `by`, `reason`, `at`, `via`.
        is_announced: Whether, as far as is known, a message is under way that hands it over to evaluation.
        announcement: How far the news of this run has got.
        came_from: The state before, from when the run is advanced until that is saved; empty otherwise.
        overlap: How many rows it trains on that are in the holdout too, as they were counted when the files came.
        holdout: Version of the holdout that they were looked for in, where all files agree on one; else empty.
    """

    id: str
    model: str
    state: RunState
    created_at: datetime
    updated_at: datetime
    datasets: tuple[str, ...]
    dataset_keys: tuple[str, ...]
    training_blob: str
    training_etag: str
    artifacts: str
    job_id: str = ""
    submitted_at: datetime | None = None
    reason: str = ""
    stages: tuple[tuple[str, datetime], ...] = ()
    verdict: dict[str, Any] | None = None
    judged_champion: str = ""
    attempts: int = 0
    due_at: datetime | None = None
    waits_for: str = ""
    queued_since: datetime | None = None
    cancel_reason: str = ""
    stray_jobs: tuple[str, ...] = ()
    kind: RunKind = RunKind.TRAINING
    restores: str = ""
    until: datetime | None = None
    requested_by: str = ""
    approval: dict[str, str] | None = None
    announcement: Announcement = field(default_factory=Announcement)
    request_reason: str = ""
    overlap: int = 0
    holdout: str = ""
    is_announced: bool = False
    came_from: str = field(default="", compare=False)
    version: str = field(default="", compare=False)

    @property
    def cancelled_by(self) -> str:
        """Who wants it cancelled; empty when nobody does."""
        return self.cancel_reason.removeprefix(_CANCELLED_BY).partition(": ")[0]

    def cancelled(self, by: str, reason: str) -> Run:
        """Return the run with somebody's wish to cancel it."""
        return replace(self, cancel_reason=f"{_CANCELLED_BY}{by}: {reason}", due_at=None)

    @property
    def is_news(self) -> bool:
        """Whether people are still to be told of the state that the run is in."""
        return (self.state.is_final or self.state is RunState.HELD) and self.announcement.stages < len(self.stages)

    def advanced(self, state: RunState, now: datetime, reason: str = "", **changes: Any) -> Run:
        """
        Return the run in its next state; the reason is completed by `because`.

        Raises:
            IllegalTransition: `TRANSITIONS` does not allow it.
        """
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(self.id, self.state.value, state.value)
        stages = (*self.stages, (state.value, now))
        fresh: dict[str, Any] = {"attempts": 0, "due_at": None, "waits_for": "", "is_announced": False}
        fresh |= {"came_from": self.state.value}
        following = replace(self, state=state, updated_at=now, stages=stages, **(fresh | changes))
        return replace(following, reason=following.because(reason))

    def because(self, reason: str) -> str:
        """Return a reason that says UNPAIRED where the verdict was, whoever gives it."""
        is_silent = reason and "UNPAIRED" not in reason and is_unpaired(self.verdict)
        return f"UNPAIRED: {reason}" if is_silent else reason

    def postponed(self, until: datetime, waits_for: str) -> Run:
        """Return the run after one more failed attempt: no tick looks at it before `until`."""
        return replace(self, attempts=self.attempts + 1, due_at=until, waits_for=waits_for, is_announced=False)

    def announced(self, until: datetime) -> Run:
        """Return the run after a message was sent that hands it over: it counts as lost from `until` on."""
        lost = self.is_announced  # the message before; one that came to nothing has said so
        return replace(self, attempts=self.attempts + lost, due_at=until, is_announced=True)

    def unannounced(self) -> Run:
        """Return the run after its message came to nothing: the next tick may send another."""
        return replace(self, due_at=None, is_announced=False)

    @property
    def stage_began_at(self) -> datetime:
        """From when the present stage's budget counts; queued is one stage until the job has started."""
        if self.state in (RunState.RECEIVED, RunState.SUBMITTED):
            return self.queued_since or self.created_at
        return next((at for state, at in reversed(self.stages) if state == self.state.value), self.updated_at)
