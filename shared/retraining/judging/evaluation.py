"""Judges a finished run: challenger on staging, champion on live, the same rows, one verdict."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.decisions import DecisionTable
from shared.adapters.http import ServiceCaller
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import ARTIFACTS
from shared.domain.deciding.approval import AskWhen
from shared.domain.deciding.champion import INITIAL, Champion
from shared.domain.gate import Fault, Outcome, Verdict, error_verdict
from shared.domain.lifecycle.runs import Run, RunKind, RunState
from shared.domain.measuring import golden
from shared.domain.measuring.metrics import parse_metrics
from shared.domain.model import Model
from shared.errors import (
    EvaluationError,
    MetricsError,
    ProtocolMismatch,
    RowsMixedUp,
    ServiceRejected,
    ServiceUnavailable,
    StateConflict,
)
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.judging.scoring import Gathered, Scoring
from shared.retraining.judging.setbacks import Setbacks
from shared.retraining.promoting.golden_rows import GoldenRows, GoldenStore
from shared.retraining.promoting.lease import Lease
from shared.retraining.promoting.promotion import Known, Promotion
from shared.retraining.promoting.rollback import Rollback
from shared.retraining.training.naming import artifact
from shared.retraining.training.results import JobResults
from shared.wire import MODEL_EXTENSION

_log = logging.getLogger(__name__)
_PROBE_ROWS = 20
_METRICS_BYTES = 2**20
_MODEL_BYTES = 2**28
_FINAL = {Outcome.REJECT: RunState.REJECTED, Outcome.NO_CHANGE: RunState.NO_CHANGE, Outcome.ERROR: RunState.FAILED}


@dataclass(frozen=True)
class Stores:
    """Everything that evaluation and promotion read and write."""

    runs: RunTable
    records: ModelTable
    decisions: DecisionTable
    blobs: BlobStore
    golden: GoldenStore
    caller: ServiceCaller


@dataclass(frozen=True)
class Challenger:
    """A finished job's model, by the SHA-256 of its bytes in hex, with the metrics it wrote."""

    sha256: str
    metrics: Mapping[str, float]


class Evaluation:
    """Takes a run from EVALUATING to its end; a repeated message finds the work done or goes on with it."""

    def __init__(
        self,
        models: Mapping[str, Model],
        stores: Stores,
        results: JobResults,
        promotion: Promotion,
        scoring: Scoring,
        rollback: Rollback,
        setbacks: Setbacks,
        clock: Clock,
    ) -> None:
        self._models, self._stores, self._results = models, stores, results
        self._promotion, self._scoring, self._rollback = promotion, scoring, rollback
        self._setbacks, self._clock = setbacks, clock

    def evaluate(self, model_name: str, run_id: str) -> None:
        """
        Judge one run and act on the verdict; where a service does not answer, the run waits for its next attempt.

        Raises:
            Exception: What nobody foresaw is noted with the run, for a person to see, and raised on.
        """
        model = self._models.get(model_name)
        run = self._stores.runs.find(model_name, run_id)
        if model is None or run is None or run.state.is_final or run.state is RunState.HELD:
            return
        if run.cancel_reason and run.state is RunState.EVALUATING:
            return  # the next tick ends it
        lease = Lease(self._stores.records, model.name, self._clock)
        is_left = False
        try:
            lease.take(lambda record: record.used_for(run.id))
            self._finish(run, model, lease)
        except StateConflict as taken:
            event(_log, "evaluation.left_to_another", run_id=run.id, reason=str(taken))
            is_left = True
        except ServiceUnavailable as away:
            self._setbacks.postpone(run, away)
        except Exception as surprise:
            self._setbacks.note(run, surprise)
            raise
        finally:
            lease.release()
        # A second message of a run that is being judged is dropped; any other has come to nothing.
        if is_left and not self._stores.records.load(model.name).is_used_for(run.id, self._clock()):
            self._setbacks.queue_again(run)

    def _finish(self, run: Run, model: Model, lease: Lease) -> None:
        known = Known()
        if run.state is RunState.EVALUATING:
            try:
                run, known = self._judge(run, model, lease)
            except (EvaluationError, MetricsError, ServiceRejected, ProtocolMismatch, RowsMixedUp) as failed:
                name = f"{Fault.METRICS_UNREADABLE.value}: " if isinstance(failed, MetricsError) else ""
                run = replace(run, verdict=error_verdict(f"{name}{failed}", model.gate).as_json())
                run = self._close(run, RunState.FAILED, f"the challenger could not be judged: {name}{failed}", lease)
        if run.state in (RunState.PROMOTING, RunState.RESTORING):
            lease.hold()
            self._promotion.carry_out(run, model, lease, known)

    def _judge(self, run: Run, model: Model, lease: Lease) -> tuple[Run, Known]:
        champion = self._champion(model, run, lease)
        if run.kind is not RunKind.TRAINING:
            return self._bring_back(run, model, champion, lease), Known()
        if overtaken := self._overtaken(run, champion):
            return self._close(run, *overtaken, lease), Known()
        challenger = self._challenger(run, model)
        if challenger.sha256 == champion.sha256:
            same = "challenger and champion are the same bytes"
            return self._close(run, RunState.NO_CHANGE, same, lease), Known()
        gathered = self._scoring.gather(run, model, champion, challenger.metrics, lease)
        verdict = self._scoring.verdict(run, model, gathered, lease)
        event(_log, "run.judged", run_id=run.id, model=run.model, outcome=verdict.outcome.value, reason=verdict.reason)
        run = replace(run, verdict=verdict.as_json(), judged_champion=champion.run_id)
        rows = self._save_golden(run, gathered)
        run = self._act(run, model, verdict, champion, lease, can_be_proven=rows is not None)
        return run, Known(rows, challenger.sha256)

    def _bring_back(self, run: Run, model: Model, champion: Champion, lease: Lease) -> Run:
        """Prepare the return of a kept model, unless another one went live since the person looked."""
        if run.judged_champion not in ("", champion.run_id):
            reason = f"'{champion.run_id}' went live after {run.requested_by} had asked; ask again if it is to go"
            return self._close(run, RunState.SUPERSEDED, reason, lease)
        return self._rollback.prepare(run, model, champion)

    def _overtaken(self, run: Run, champion: Champion) -> tuple[RunState, str] | None:
        """Return how a run ends that need not be judged any more, and why; None when it is to be judged."""
        if run.approval and run.approval["decision"] == "reject":
            return RunState.REJECTED, f"rejected by {run.approval['by']}: {run.approval['reason']}"
        if champion.trained_at and champion.trained_at > run.created_at:
            return RunState.SUPERSEDED, f"run '{champion.run_id}' has made a champion from newer data meanwhile"
        facts = facts_of(self._stores.blobs.blob(run.training_blob))
        if facts and facts.etag != run.training_etag:
            replaced = f"'{run.training_blob}' was replaced while it trained; the new version is a file of its own"
            return RunState.SUPERSEDED, replaced
        return None

    def _champion(self, model: Model, run: Run, lease: Lease) -> Champion:
        """Return what serves now; the published model's bytes are kept before they are ever replaced."""
        if known := lease.record.champion:
            return known
        resource = self._promotion.live(model).resource(model.resource, run.id)
        data = self._stores.caller.fetch("read the published model", resource.location.signed_url(), limit=_MODEL_BYTES)
        path = f"{ARTIFACTS}/{model.name}/{INITIAL}/model{MODEL_EXTENSION}"
        self._stores.blobs.write(path, data)
        champion = Champion(INITIAL, path, hashlib.sha256(data).hexdigest(), self._clock())
        lease.save(lambda record: replace(record, champion=champion, anchor=champion))
        return champion

    def _challenger(self, run: Run, model: Model) -> Challenger:
        metrics = parse_metrics(self._results.read(run, model, ".csv", limit=_METRICS_BYTES))
        kept = artifact(run, MODEL_EXTENSION)
        sha256 = self._stores.blobs.digest(kept)
        if sha256 is None:
            raise EvaluationError(f"the job finished without writing '{kept}', where it was told to write the model")
        return Challenger(sha256, metrics)

    def _save_golden(self, run: Run, gathered: Gathered) -> GoldenRows | None:
        """Keep the rows that tell the models apart: they prove this promotion, and one that a person asks for later."""
        rows, champion = gathered.rows, gathered.champion.answers
        if gathered.challenger is None:  # nobody knows what it will answer; that live answers otherwise has to do
            probe = list(range(min(_PROBE_ROWS, len(rows.rows))))
            known = GoldenRows(rows.columns, rows.some(probe), None, champion[probe].tolist())
            return self._stores.golden.save(run, known)
        challenger = gathered.challenger.answers
        chosen = golden.choose(champion, challenger)
        if not chosen:
            return None
        answers = challenger[chosen].tolist(), champion[chosen].tolist()
        return self._stores.golden.save(run, GoldenRows(rows.columns, rows.some(chosen), *answers))

    def _act(
        self, run: Run, model: Model, verdict: Verdict, champion: Champion, lease: Lease, *, can_be_proven: bool
    ) -> Run:
        """Save what the verdict leads to: an end, a question to a person, or the intention to promote."""
        if verdict.outcome in _FINAL:
            return self._close(run, _FINAL[verdict.outcome], verdict.reason, lease)
        if not can_be_proven:
            reason = "no row tells challenger and champion apart, so a promotion could not be proven"
            return self._close(run, RunState.NO_CHANGE, reason, lease)
        held = _held_because(run, model, verdict, champion)
        if held and model.approval.ask is AskWhen.NEVER:
            return self._close(run, RunState.REJECTED, f'{held}; and approval is "never", so nobody is asked', lease)
        if held:
            return self._hold(run, model, held, lease)
        return self._stores.runs.save(run.advanced(RunState.PROMOTING, self._clock(), verdict.reason))

    def _hold(self, run: Run, model: Model, reason: str, lease: Lease) -> Run:
        self._record(run, RunState.HELD, reason, lease, occasion=run.judged_champion)
        event(_log, "run.held", run_id=run.id, model=run.model, reason=reason)
        now = self._clock()
        until = now + model.policy.approval_budget  # no tick needs to look before
        held = run.advanced(RunState.HELD, now, reason, due_at=until, waits_for="a person's decision")
        return self._stores.runs.save(held)

    def _close(self, run: Run, state: RunState, reason: str, lease: Lease) -> Run:
        self._record(run, state, reason, lease)
        return self._stores.runs.save(run.advanced(state, self._clock(), reason))

    def _record(self, run: Run, state: RunState, reason: str, lease: Lease, *, occasion: str = "") -> None:
        evidence: dict[str, Any] = {
            "reason": run.because(reason),
            "verdict": run.verdict,
            "datasets": list(run.datasets),
            "dataset_keys": list(run.dataset_keys),
            "champion_before": run.judged_champion,
            "approval": run.approval,
            "requested_by": run.requested_by,
        }
        now, noted = self._clock(), lease.record.head
        lease.note_decision(
            self._stores.decisions.append(run.model, run.id, state.value, now, evidence, occasion=occasion, noted=noted)
        )


def _held_because(run: Run, model: Model, verdict: Verdict, champion: Champion) -> str:
    """Say why a person decides; empty when nobody has to."""
    if verdict.outcome is Outcome.HOLD:
        return verdict.reason
    if champion.is_held_against(run.created_at):
        return f"a person brought '{champion.run_id}' back after this run had begun; {verdict.reason}"
    if model.approval.ask is AskWhen.ALWAYS:
        return f'approval is "always"; {verdict.reason}'
    return ""
