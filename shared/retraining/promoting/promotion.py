"""
Makes the challenger the champion, and proves it: golden rows must answer as the challenger did.

A 200 is not success. Where the proof fails, the champion's kept bytes are put back and that is proven too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NoReturn

import numpy as np

from shared.adapters.blobs import BlobStore
from shared.adapters.decisions import DecisionTable
from shared.adapters.endpoints import EndpointClient
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.deciding.champion import INITIAL, Champion
from shared.domain.deciding.decision import OVERRIDE, ROLLBACK
from shared.domain.lifecycle.budgets import is_overdue
from shared.domain.lifecycle.runs import ITSELF, Run, RunKind, RunState
from shared.domain.measuring import golden
from shared.domain.model import Model
from shared.domain.spans import span
from shared.errors import Changed, EvaluationError, ServiceRejected
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.promoting.golden_rows import GoldenRows, GoldenStore
from shared.retraining.promoting.lease import Lease
from shared.retraining.promoting.proof import Proof, prove
from shared.retraining.training.naming import model_of
from shared.retraining.training.results import JobResults
from shared.wire import MODEL_EXTENSION, BlobReference

_log = logging.getLogger(__name__)
_OUTCOMES = {RunKind.TRAINING: RunState.PROMOTED.value, RunKind.ROLLBACK: ROLLBACK, RunKind.OVERRIDE: OVERRIDE}
_ALIKE = ", none of which the model before answered otherwise"
_REFERENCE_LIFETIME = timedelta(hours=1)  # the service copies the model at once


@dataclass(frozen=True)
class Known:
    """What the worker that judged a run knows of it without reading it again: golden rows, and the model's SHA-256."""

    golden: GoldenRows | None = None
    sha256: str = ""


class Promotion:
    """Changes the live endpoint of one model at a time, under the model's lease."""

    def __init__(
        self,
        runs: RunTable,
        decisions: DecisionTable,
        blobs: BlobStore,
        golden: GoldenStore,
        results: JobResults,
        endpoints: Callable[[Model, str], EndpointClient],
        clock: Clock,
        *,
        deadline: timedelta | None = None,
    ) -> None:
        """
        Args:
            endpoints: Gives the client of a model's `live` or `staging` endpoint.
            deadline: How long the live endpoint may take to answer as expected; None for what each model's budgets say.
        """
        self._runs, self._decisions, self._blobs, self._golden = runs, decisions, blobs, golden
        self._results, self._endpoints, self._clock, self._deadline = results, endpoints, clock, deadline

    def live(self, model: Model) -> EndpointClient:
        """Return the endpoint that callers use."""
        return self._endpoints(model, "live")

    def staging(self, model: Model) -> EndpointClient:
        """Return the endpoint that challengers are tried on."""
        return self._endpoints(model, "staging")

    def carry_out(self, run: Run, model: Model, lease: Lease, known: Known) -> None:
        """
        Take a run from PROMOTING or RESTORING to its end.

        Args:
            run: The run.
            model: Its model.
            lease: The model's, which is held.
            known: What need not be read again.

        Raises:
            ServiceUnavailable: A service did not answer; the run stands where it stood and is taken up again.
            EvaluationError: The champion could not be seen to be back; the run stays in RESTORING.
        """
        expected = known.golden or self._golden.load(run)
        if expected is None:
            raise EvaluationError(f"the golden rows of run '{run.id}' are gone, so nothing can be proven")
        if run.state is RunState.PROMOTING:
            run = self._promote(run, model, expected, lease, known.sha256)
        if run.state is RunState.RESTORING:
            self._restore(run, model, expected, lease)

    def _promote(self, run: Run, model: Model, expected: GoldenRows, lease: Lease, sha256: str) -> Run:
        champion = lease.record.champion
        serving = champion.run_id if champion else ""
        if champion and champion.placed_by == run.id:  # proven by a worker that died between the pointer and the run
            return self._crown(run, model, Proof(len(expected.rows), 0.0), lease, sha256, expected)
        if serving != run.judged_champion:
            return self._give_way(run, model, champion, expected)
        if is_overdue(run, self._clock(), model.policy):
            reason = f"the promotion was not proven within {span(model.policy.promoting_budget)}; {run.waits_for}"
            return self._runs.save(run.advanced(RunState.RESTORING, self._clock(), reason))
        try:
            self._put_challenger_live(run, model)
            proof = self._prove(run, model, expected, "challenger")
            if expected.challenger is None and proof.holds:
                self._golden.save(run, replace(expected, challenger=proof.answers))
        except ServiceRejected as refused:
            return self._runs.save(run.advanced(RunState.RESTORING, self._clock(), str(refused)))
        if not proof.holds:
            said = f"the live endpoint did not give the {_whose(run)} answers within {span(self._patience(model))}"
            reason = f"{said}: {proof.failure}" if proof.failure else said
            return self._runs.save(run.advanced(RunState.RESTORING, self._clock(), reason))
        return self._crown(run, model, proof, lease, sha256, expected)

    def _crown(self, run: Run, model: Model, proof: Proof, lease: Lease, sha256: str, expected: GoldenRows) -> Run:
        """Move the champion pointer, record the decision, close the run: in that order, each repeatable."""
        champion = lease.record.champion
        if champion is None or champion.placed_by != run.id:
            champion = crowned = self._champion_of(run, sha256)
            by_a_person = run.approval is not None or _is_choice(run)
            try:
                lease.save(lambda it: replace(it, champion=crowned, anchor=crowned if by_a_person else it.anchor))
            except Changed:
                serving = lease.record.champion
                if (serving.run_id if serving else "") == run.judged_champion:
                    raise
                return self._give_way(run, model, serving, expected)
        waited = f" after {_wait(proof.seconds)}" if proof.seconds else ""
        tells = _tell(expected)
        reason = f"{run.reason}; proven on {proof.rows} golden rows{waited}{'' if tells else _ALIKE}"
        return self._close(run, RunState.PROMOTED, reason, proof, champion, lease, tells=tells)

    def _give_way(self, run: Run, model: Model, champion: Champion | None, own: GoldenRows) -> Run:
        """
        Have a run judged again, since another one has made a champion meanwhile.

        Its own PATCH may have been sent all the same, by a worker that was held up: what serves is put back first, and
        seen to be back, or the next judgement would compare the challenger with itself.
        """
        if champion:
            self.live(model).update(model.resource, self._kept(champion.artifact), run.id)
            told_apart = self._told_apart(run, champion, own)
            if told_apart and not self._prove(run, model, told_apart, "challenger").holds:
                self._raise_unproven(run, model)
        reason = f"champion is now '{champion.run_id if champion else ''}'"
        # An approval was given on evidence against the champion of that time.
        return self._runs.save(run.advanced(RunState.EVALUATING, self._clock(), reason, approval=None))

    def _told_apart(self, run: Run, champion: Champion, own: GoldenRows) -> GoldenRows | None:
        """
        Return rows that show that a champion serves: those that proved its promotion.

        Where none are kept (the published model), it has to do that live answers otherwise than this run's challenger.
        """
        placed = self._runs.find(run.model, champion.placed_by) if champion.placed_by else None
        known = self._golden.load(placed) if placed else None
        if known or own.challenger is None:
            return known
        return replace(own, challenger=None, champion=own.challenger)

    def _champion_of(self, run: Run, sha256: str) -> Champion:
        """Describe the model that a run has put live."""
        path = model_of(run)
        made_by = run.restores or run.id
        origin = run if made_by == run.id else self._runs.find(run.model, made_by)
        return Champion(
            run_id=made_by,
            artifact=path,
            sha256=sha256 or self._blobs.digest(path) or "",
            since=self._clock(),
            trained_at=origin.created_at if origin and made_by != INITIAL else None,
            placed_by=run.id,
            restored=run.kind is RunKind.ROLLBACK and run.requested_by != ITSELF,
            until=run.until,
        )

    def _restore(self, run: Run, model: Model, expected: GoldenRows, lease: Lease) -> None:
        champion = lease.record.champion
        if champion is None:
            raise EvaluationError(f"no champion of '{model.name}' is kept, so none can be put back")
        self.live(model).update(model.resource, self._kept(champion.artifact), run.id)
        proof = self._prove(run, model, expected, "champion")
        if not proof.holds:
            self._raise_unproven(run, model)
        reason = f"{run.reason}; champion '{champion.run_id}' is back and was seen to answer"
        self._close(run, RunState.ROLLED_BACK, reason, proof, champion, lease, tells=_tell(expected))

    def _raise_unproven(self, run: Run, model: Model) -> NoReturn:
        reason = f"the live endpoint of '{model.name}' was not seen to give the champion's answers"
        event(_log, "promotion.restore_unproven", level=logging.ERROR, run_id=run.id, model=run.model, reason=reason)
        raise EvaluationError(reason)

    def _put_challenger_live(self, run: Run, model: Model) -> None:
        """PATCH live with a run's model: with a job's by a token fresh from the service, else with kept bytes."""
        live = self.live(model)
        if run.kind is RunKind.TRAINING:
            self._results.use(
                run, model, MODEL_EXTENSION, lambda reference: live.update(model.resource, reference, run.id)
            )
        else:
            live.update(model.resource, self._kept(model_of(run)), run.id)

    def _kept(self, path: str) -> BlobReference:
        return self._blobs.reference(path, write=False, lifetime=_REFERENCE_LIFETIME)

    def _prove(self, run: Run, model: Model, expected: GoldenRows, who: str) -> Proof:
        return prove(self.live(model), expected, who, model.task, run.id, self._patience(model))

    def _patience(self, model: Model) -> timedelta:
        return model.policy.proof_budget if self._deadline is None else self._deadline

    def _close(
        self, run: Run, state: RunState, reason: str, proof: Proof, champion: Champion, lease: Lease, *, tells: bool
    ) -> Run:
        evidence = {
            "reason": run.because(reason),
            "verdict": run.verdict,
            "datasets": list(run.datasets),
            "dataset_keys": list(run.dataset_keys),
            "champion_before": run.judged_champion,
            "champion_after": {"run_id": champion.run_id, "artifact": champion.artifact, "sha256": champion.sha256},
            "approval": run.approval,
            "requested_by": run.requested_by,
            "golden_rows": proof.rows,
            "golden_rows_tell": tells,
            "live_changed_from": next(at.isoformat() for state, at in reversed(run.stages) if state == "PROMOTING"),
        }
        promoted = state is RunState.PROMOTED
        if promoted and run.kind is RunKind.OVERRIDE:
            evidence["until"] = stored(run.until) or "another model goes live"
        outcome = _OUTCOMES[run.kind] if promoted else state.value
        at = champion.since if promoted else self._clock()
        lease.note_decision(self._decisions.append(run.model, run.id, outcome, at, evidence, noted=lease.record.head))
        return self._runs.save(run.advanced(state, self._clock(), reason))


def _wait(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"


def _is_choice(run: Run) -> bool:
    """Whether a person chose a model to stay: not for a time only, nor the app itself when such a time is up."""
    return run.kind is not RunKind.TRAINING and run.until is None and run.requested_by != ITSELF


def _tell(expected: GoldenRows) -> bool:
    """Whether the rows tell what serves now from what served before."""
    if expected.champion is None or expected.challenger is None:
        return True
    before, now = (np.asarray(answers, dtype=np.float64) for answers in (expected.champion, expected.challenger))
    return bool(golden.choose(before, now))


def _whose(run: Run) -> str:
    return "challenger's" if run.kind is RunKind.TRAINING else f"kept model's ('{run.restores}')"
