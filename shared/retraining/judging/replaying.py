"""Judges past runs again under another rule: which verdicts would have been different?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.gate import GateRule, Outcome, Verdict, judge
from shared.domain.lifecycle.runs import Run, RunKind
from shared.domain.model import Model
from shared.domain.task import Task
from shared.errors import ConfigError, EvaluationError, RequestRefused
from shared.retraining.judging.bridge import bridged, judged_before
from shared.retraining.judging.evidence import Evidence, EvidenceStore

Json = dict[str, Any]
_MOST_RUNS = 200


class Replaying:
    """Applies a changed rule to the evidence that was kept of each run; nothing is scored again, nothing is changed."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        evidence: EvidenceStore,
        changed: Callable[[GateRule, Mapping[str, Any], Task], GateRule],
    ) -> None:
        """
        Args:
            changed: Lays changed keys of the section `gate` over a rule.
        """
        self._models, self._runs, self._evidence, self._changed = models, runs, evidence, changed

    def replay(self, model_name: str, changes: Mapping[str, Any], *, limit: int = 50) -> Json:
        """
        Judge a model's last runs under its rule of today with some keys changed.

        Args:
            changes: Keys of the section `gate`; none means today's rule as it stands.
            limit: At most so many runs, the newest.

        Returns:
            The rule, every run with its verdict then and now, and those that flip.

        Raises:
            RequestRefused: The model is not declared or has no gate, or a change is none.
        """
        model = self._models.get(model_name)
        if model is None:
            raise RequestRefused(f"there is no model '{model_name}'; GET /api/models lists them", 404)
        if model.gate is None:
            raise RequestRefused(f"'{model_name}' has no gate (`gate = \"none\"`), so there is nothing to judge by")
        try:
            rule = self._changed(model.gate, changes, model.task)
        except ConfigError as unusable:
            raise RequestRefused(str(unusable), 400) from None
        judged = [run for run in self._runs.all(model_name) if run.kind is RunKind.TRAINING and run.verdict]
        replayed = [self._again(run, model, rule) for run in judged[: min(limit, _MOST_RUNS)]]
        return {
            "model": model_name,
            "rule": rule.as_json(),
            "replayed": len(replayed),
            "flips": [run for run in replayed if run["flips"]],
            "runs": replayed,
        }

    def _again(self, run: Run, model: Model, rule: GateRule) -> Json:
        was = (run.verdict or {}).get("outcome")
        now, reason = None, "no evidence of this run is kept"
        evidence = self._evidence.load(run)
        if evidence is not None:
            try:
                rows = self._evidence.rows(evidence, model, rule)
                if rows is None and evidence.holdout:
                    reason = "the holdout that it was judged on is gone"
                else:
                    verdict = judge(evidence.metrics, rows, rule, evidence.circumstances)
                    if before := self._before(run, evidence, model, rule):
                        verdict = bridged(verdict, before)
                    now, reason = verdict.outcome.value, verdict.reason
            except EvaluationError as unfit:
                reason = str(unfit)
        return {
            "run_id": run.id,
            "at": stored(run.created_at),
            "state": run.state.value,
            "was": was,
            "now": now,
            "flips": now is not None and now != was,
            "reason_then": (run.verdict or {}).get("reason"),
            "reason_now": reason,
        }

    def _before(self, run: Run, evidence: Evidence, model: Model, rule: GateRule) -> Verdict | None:
        """Judge a bridge run on the holdout before; what could not be judged on then has no answers to it."""
        recorded = (run.verdict or {}).get("bridge")
        if evidence.before is None:
            return Verdict(Outcome(recorded["state"]), "as it was judged then", rule.metric) if recorded else None
        try:
            return judged_before(self._evidence, evidence.before, model, rule)
        except EvaluationError as unfit:
            return Verdict(Outcome.ERROR, str(unfit), rule.metric)
