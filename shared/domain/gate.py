"""
The promotion rule: may the challenger take the champion's place?

Fails closed: evidence that is missing, not finite or does not fit is never a reason to promote.
Source: docs/architecture.md, "The gate".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from shared.domain.metrics import LOWER_IS_BETTER, is_usable
from shared.domain.paired import Comparison, PairedScores, compare


class Outcome(Enum):
    """What the gate says of a challenger."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"  # a person decides
    REJECT = "REJECT"
    NO_CHANGE = "NO_CHANGE"
    ERROR = "ERROR"  # the evidence could not be judged


@dataclass(frozen=True)
class GateRule:
    """
    What a challenger must show.

    Attributes:
        metric: Judged on the holdout, challenger against champion.
        margin: How much worse the lower bound may be (non-inferiority), in the metric's units.
        min_gain: The least gain of the point values.
        floors: Metric of output2 → the worst value allowed, inclusive: a floor, or a ceiling where lower is better.
        confidence: Of the one-sided lower bound.
        replicates: Bootstrap resamples.
        seed: Of the resampling.
    """

    metric: str = "AUC"
    margin: float = 0.01
    min_gain: float = 0.0
    floors: Mapping[str, float] = field(default_factory=dict)
    confidence: float = 0.95
    replicates: int = 1000
    seed: int = 20240831


@dataclass(frozen=True)
class Check:
    """One rule held against one value."""

    rule: str
    value: float | None
    bound: float | None
    passed: bool

    def sentence(self) -> str:
        """Say the rule and what was found."""
        found = "missing" if self.value is None else f"{self.value:.6g}"
        return f"{self.rule}: found {found}"


@dataclass(frozen=True)
class Verdict:
    """The gate's answer with the evidence it rests on; `paired` is False when only output2 could be judged."""

    outcome: Outcome
    reason: str
    metric: str
    checks: tuple[Check, ...] = ()
    paired: bool = False
    champion: float | None = None
    challenger: float | None = None
    gain: float | None = None
    lower: float | None = None
    upper: float | None = None
    margin: float | None = None
    n_rows: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values; a value that is not finite becomes null."""
        plain = asdict(self) | {"outcome": self.outcome.value}
        for check in plain["checks"]:
            check["value"] = check["value"] if is_usable(check["value"]) else None
        return plain | {"checks": list(plain["checks"])}


def judge(metrics: Mapping[str, float], rows: PairedScores | None, rule: GateRule) -> Verdict:
    """
    Judge a challenger.

    Args:
        metrics: What output2 says of the challenger.
        rows: Scores of champion and challenger on the same holdout rows; None when there is no holdout.
        rule: What must hold.

    Returns:
        PROMOTE only if every floor is met and, with `rows`, gain ≥ min_gain and the lower bound > −margin.
    """
    floors = tuple(_floor_check(name, bound, metrics.get(name)) for name, bound in sorted(rule.floors.items()))
    missed = [check.sentence() for check in floors if not check.passed]
    if rows is None:
        return _unpaired_verdict(missed, rule, floors)
    unfit = _unfit(rows)
    if unfit:
        return Verdict(Outcome.ERROR, unfit, rule.metric, floors)
    if np.array_equal(rows.champion, rows.challenger) and not missed:
        reason = f"challenger and champion give the same answer on all {len(rows.labels)} holdout rows"
        return Verdict(Outcome.NO_CHANGE, reason, rule.metric, floors, paired=True, n_rows=len(rows.labels))
    compared = compare(rule.metric, rows, confidence=rule.confidence, replicates=rule.replicates, seed=rule.seed)
    return _paired_verdict(compared, rule, floors)


def _unpaired_verdict(missed: list[str], rule: GateRule, floors: tuple[Check, ...]) -> Verdict:
    if missed:
        return Verdict(Outcome.REJECT, f"UNPAIRED: failed: {'; '.join(missed)}", rule.metric, floors)
    return Verdict(Outcome.PROMOTE, "UNPAIRED: no holdout, only output2's floors were judged", rule.metric, floors)


def _paired_verdict(compared: Comparison, rule: GateRule, floors: tuple[Check, ...]) -> Verdict:
    sign = -1.0 if rule.metric in LOWER_IS_BETTER else 1.0
    gain = sign * compared.difference
    lower, upper = sorted((sign * compared.lower, sign * compared.upper))
    if not all(map(is_usable, (gain, lower, upper))):
        return Verdict(Outcome.ERROR, f"{rule.metric} on the holdout is not a finite number", rule.metric, floors)
    percent = f"{100 * rule.confidence:g} %"
    checks = (
        *floors,
        Check(f"gain in {rule.metric} ≥ {rule.min_gain:g}", gain, rule.min_gain, gain >= rule.min_gain),
        Check(f"{percent} lower bound of the gain > −{rule.margin:g}", lower, -rule.margin, lower > -rule.margin),
    )
    failed = [check.sentence() for check in checks if not check.passed]
    values = f"{rule.metric} {compared.challenger:.4f} against the champion's {compared.champion:.4f}"
    interval = f"gain {gain:+.4f}, interval [{lower:+.4f}, {upper:+.4f}] on {compared.n_rows} rows"
    return Verdict(
        Outcome.REJECT if failed else Outcome.PROMOTE,
        f"{values}; {interval}" + ("; failed: " + "; ".join(failed) if failed else ""),
        rule.metric,
        checks,
        paired=True,
        champion=compared.champion,
        challenger=compared.challenger,
        gain=gain,
        lower=lower,
        upper=upper,
        margin=rule.margin,
        n_rows=compared.n_rows,
    )


def _floor_check(name: str, bound: float, value: float | None) -> Check:
    ceiling = name in LOWER_IS_BETTER
    met = value is not None and is_usable(value) and (value <= bound if ceiling else value >= bound)
    return Check(f"{name} of output2 {'≤' if ceiling else '≥'} {bound:g}", value, bound, met)


def _unfit(rows: PairedScores) -> str:
    n_rows = len(rows.labels)
    if n_rows == 0:
        return "the holdout has no rows"
    if not n_rows == len(rows.champion) == len(rows.challenger):
        return f"the holdout has {n_rows} rows, {len(rows.champion)} and {len(rows.challenger)} were scored"
    if not (np.isfinite(rows.champion).all() and np.isfinite(rows.challenger).all()):
        return "a holdout row was scored with something that is no finite number"
    if rows.labels.all() or not rows.labels.any():
        return "the holdout has rows of one class only"
    return ""
