"""Every metric that both models can be measured by on the holdout, with the interval of its gain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.gate import GateRule
from shared.domain.metrics import LOWER_IS_BETTER
from shared.domain.paired import MEASURES, PairedScores, compare

_REPLICATES = 200  # of metrics that are shown and not judged


def measured(verdict: Mapping[str, Any], rows: PairedScores, rule: GateRule | None) -> list[dict[str, Any]]:
    """
    Measure both models by every metric.

    Args:
        verdict: Holds the metric that was judged, with its values; it comes first, as it was judged.
        rule: Gives confidence and seed, the same for all.
    """
    rule = rule or GateRule()
    judged = verdict.get("metric", "")
    others = [name for name in MEASURES if name != judged]
    return [_judged(verdict, rule)] * (verdict.get("gain") is not None) + [_shown(name, rows, rule) for name in others]


def _judged(verdict: Mapping[str, Any], rule: GateRule) -> dict[str, Any]:
    names = ("champion", "challenger", "gain", "lower", "upper", "margin")
    return _metric(verdict["metric"], rule, rule.replicates, judged=True) | {name: verdict[name] for name in names}


def _shown(name: str, rows: PairedScores, rule: GateRule) -> dict[str, Any]:
    found = compare(name, rows, confidence=rule.confidence, replicates=_REPLICATES, seed=rule.seed)
    sign = -1.0 if name in LOWER_IS_BETTER else 1.0
    lower, upper = sorted((sign * found.lower, sign * found.upper))
    return _metric(name, rule, _REPLICATES, judged=False) | {
        "champion": found.champion,
        "challenger": found.challenger,
        "gain": sign * found.difference,
        "lower": lower,
        "upper": upper,
        "margin": None,
    }


def _metric(name: str, rule: GateRule, replicates: int, *, judged: bool) -> dict[str, Any]:
    return {
        "name": name,
        "judged": judged,
        "higher_is_better": name not in LOWER_IS_BETTER,
        "confidence": rule.confidence,
        "replicates": replicates,
    }
