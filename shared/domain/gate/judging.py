"""From evidence to verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from shared.domain.gate.absolute import absolute_checks
from shared.domain.gate.fitness import unfitness
from shared.domain.gate.relative import Findings, compare_models
from shared.domain.gate.rule import GateRule, Policy
from shared.domain.gate.verdict import Check, Fault, Outcome, Severity, Verdict, written
from shared.domain.measuring.metrics import is_usable
from shared.domain.measuring.paired import PairedScores


@dataclass(frozen=True)
class Circumstances:
    """
    What else bears on a verdict.

    Attributes:
        is_first: Whether the champion is the model that was published with the service.
        unpaired_because: Why there are no rows that both models scored.
        holdout_uses: How many runs were judged on this holdout, this one included.
        overlap: Share of the holdout that stands in the training data too; None where that is not known.
        champion_overlap: Share of it that stands in what the champion was trained on; None where that is not known.
        uncounted_because: Why `overlap` cannot be known any more; empty where it is, or in earlier versions' evidence.
    """

    is_first: bool = False
    unpaired_because: str = "no holdout"
    holdout_uses: int = 0
    overlap: float | None = None
    champion_overlap: float | None = None
    uncounted_because: str = ""


def judge(
    metrics: Mapping[str, float],
    rows: PairedScores | None,
    rule: GateRule,
    circumstances: Circumstances | None = None,
) -> Verdict:
    """
    Judge a challenger.

    Args:
        metrics: What output2 says of the challenger.
        rows: Answers of champion and challenger to the same holdout rows; None when there are none.
        rule: What must hold.
        circumstances: What else bears on it.

    Returns:
        PROMOTE only if every check passes; HOLD if only such failed as a person may judge.
    """
    around = circumstances or Circumstances()
    verdict = _judge(absolute_checks(metrics, rule), rows, rule, around)
    return replace(verdict, rule=rule.as_json())


def _judge(absolute: tuple[Check, ...], rows: PairedScores | None, rule: GateRule, around: Circumstances) -> Verdict:
    if rows is None:
        return _unpaired(absolute, rule, rule.unpaired, around.unpaired_because)
    if around.is_first and rule.first_model is not Policy.COMPARE:
        return _unpaired(absolute, rule, rule.first_model, "the first model")
    n_rows = len(rows.labels)
    unfit = unfitness(rows)
    if unfit:
        fault, sentence = unfit
        return Verdict(Outcome.ERROR, f"{fault.value}: {sentence}", rule.metric, absolute, n_rows=n_rows, fault=fault)
    if np.array_equal(rows.champion, rows.challenger) and not _failed(absolute, Severity.REJECT):
        reason = f"challenger and champion give the same answer on all {n_rows} holdout rows"
        return Verdict(Outcome.NO_CHANGE, reason, rule.metric, absolute, paired=True, n_rows=n_rows)
    findings = compare_models(rows, rule)
    checks = (*absolute, *findings.checks, *_holdout_checks(n_rows, rule, around))
    return _undefined(findings, checks, rule) or _paired(findings, checks, rule)


def _unpaired(absolute: tuple[Check, ...], rule: GateRule, policy: Policy, because: str) -> Verdict:
    """Judge by output2 alone, as the policy says."""
    failed = _failed(absolute, Severity.REJECT)
    if failed:
        outcome, reason = Outcome.REJECT, f"failed: {'; '.join(failed)}"
    elif policy is Policy.REFUSE:
        outcome, reason = Outcome.REJECT, f"{because}, and the gate refuses what it cannot compare"
    elif policy is Policy.APPROVAL:
        outcome, reason = Outcome.HOLD, f"{because}, and only output2 was judged; a person decides"
    elif not absolute:
        nothing = Fault.NOTHING_JUDGED
        reason = f"UNPAIRED: {nothing.value}: {because}, and the gate has neither floors nor ceilings; a person decides"
        return Verdict(Outcome.HOLD, reason, rule.metric, absolute, fault=nothing)
    else:
        outcome, reason = Outcome.PROMOTE, f"{because}, only output2's bounds were judged"
    return Verdict(outcome, f"UNPAIRED: {reason}", rule.metric, absolute)


def _holdout_checks(n_rows: int, rule: GateRule, around: Circumstances) -> list[Check]:
    checks = [
        Check(
            f"holdout has ≥ {rule.min_rows} rows",
            float(n_rows),
            float(rule.min_rows),
            n_rows >= rule.min_rows,
            Severity.HOLD,
        )
    ]
    if rule.holdout_budget:
        uses, budget = float(around.holdout_uses), float(rule.holdout_budget)
        checks.append(Check(f"holdout used ≤ {budget:g} times", uses, budget, uses <= budget, Severity.HOLD))
    if around.overlap is not None:
        said = f"share of the holdout in the training data ≤ {rule.max_overlap:g}"
        met = around.overlap <= rule.max_overlap
        checks.append(Check(said, around.overlap, rule.max_overlap, met, Severity.HOLD))
    if around.champion_overlap is not None:
        # It can only have made the challenger look worse, so there is no reason to wait.
        said = f"share of the holdout in the champion's training data ≤ {rule.max_overlap:g}"
        met = around.champion_overlap <= rule.max_overlap
        checks.append(Check(said, around.champion_overlap, rule.max_overlap, met, Severity.REPORT))
    if around.uncounted_because:
        said = f"the holdout's rows can be looked for in the training data ({around.uncounted_because})"
        checks.append(Check(said, None, None, False, Severity.HOLD))
    return checks


def _undefined(findings: Findings, checks: tuple[Check, ...], rule: GateRule) -> Verdict | None:
    """Refuse values that are none: of a metric that has no value on these rows, or in too many resamples."""
    for part in findings.metrics:
        if not (is_usable(part.champion) and is_usable(part.challenger)):
            fault, what = Fault.VALUE_UNDEFINED, "has no value on the holdout"
        elif not (is_usable(part.lower) and is_usable(part.upper)):
            fault, what = Fault.INTERVAL_UNDEFINED, "has no value in too many resamples of the holdout"
        else:
            continue
        reason = f"{fault.value}: {part.metric} {what}"
        return Verdict(Outcome.ERROR, reason, rule.metric, checks, n_rows=part.n_rows, fault=fault)
    return None


def _paired(findings: Findings, checks: tuple[Check, ...], rule: GateRule) -> Verdict:
    main = findings.metrics[0]
    failed, held = _failed(checks, Severity.REJECT), _failed(checks, Severity.HOLD)
    challenger, champion = (written(value or 0.0, ".4f") for value in (main.challenger, main.champion))
    gain, lower, upper = (written(value or 0.0, "+.4f") for value in (main.gain, main.lower, main.upper))
    values = f"{main.metric} {challenger} against the champion's {champion}"
    interval = f"gain {gain}, interval [{lower}, {upper}] on {main.n_rows} rows"
    reasons = [f"{values}; {interval}"]
    reasons += [f"failed: {'; '.join(failed)}"] if failed else []
    reasons += [f"held: {'; '.join(held)}"] if held else []
    return Verdict(
        Outcome.REJECT if failed else Outcome.HOLD if held else Outcome.PROMOTE,
        "; ".join(reasons),
        rule.metric,
        checks,
        paired=True,
        champion=main.champion,
        challenger=main.challenger,
        gain=main.gain,
        lower=main.lower,
        upper=main.upper,
        margin=main.margin,
        n_rows=main.n_rows,
        also=findings.metrics[1:],
        slices=findings.slices,
        anchor=findings.anchor,
    )


def _failed(checks: tuple[Check, ...], severity: Severity) -> list[str]:
    return [check.sentence() for check in checks if not check.passed and check.severity is severity]
