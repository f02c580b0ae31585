"""A run that is judged on two holdouts, the new one and the one before: what both say together."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.gate import Fault, GateRule, Outcome, Part, Verdict, judge
from shared.domain.measuring.holdout import Holdout
from shared.domain.model import Model
from shared.errors import EvaluationError
from shared.retraining.judging.evidence import Evidence, EvidenceStore, paired


def judged_before(store: EvidenceStore, before: Evidence, model: Model, rule: GateRule) -> Verdict:
    """
    Judge what was answered to the holdout before.

    Raises:
        EvaluationError: That holdout is gone, or was made for another contract or gate.
    """
    rows = paired(kept_holdout(store, model, before.holdout), before, model, rule)
    return judge(before.metrics, rows, rule)


def kept_holdout(store: EvidenceStore, model: Model, version: str) -> Holdout:
    """
    Return a version of the holdout that was kept.

    Raises:
        EvaluationError: It is gone.
    """
    holdout = store.holdout(model, version)
    if holdout is None:
        raise EvaluationError(f"{Fault.HOLDOUT_MISSING.value}: the kept holdout {version[:16]} is gone")
    return holdout


def bridged(verdict: Verdict, retired: Verdict) -> Verdict:
    """
    Add the verdict on the holdout before; where only one of the two would promote, a person decides.

    A new holdout that nothing can be judged on is an ERROR all the same: there is nothing for a person to go by.
    """
    part = Part(
        "the holdout before",
        retired.metric,
        retired.n_rows,
        retired.champion,
        retired.challenger,
        retired.gain,
        retired.lower,
        retired.upper,
        retired.margin,
        state=retired.outcome.value,
    )
    verdict = replace(verdict, bridge=part)
    if (verdict.outcome is Outcome.PROMOTE) == (retired.outcome is Outcome.PROMOTE):
        return verdict
    if verdict.outcome is Outcome.ERROR:
        return verdict
    said = (
        f"{verdict.reason}; held: the new holdout says {verdict.outcome.value}, the one before {retired.outcome.value}"
    )
    return replace(verdict, outcome=Outcome.HOLD, reason=f"{said} ({retired.reason})")
