"""Every metric that both models can be measured by on the holdout, with the interval of its gain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.domain.gate import GateRule
from shared.domain.measuring.measures import MEASURES
from shared.domain.measuring.metrics import METRICS, is_usable
from shared.domain.measuring.paired import Contrast, PairedScores, Question, compare

_REPLICATES = 200  # of metrics that are shown and not judged


def measured(verdict: Mapping[str, Any], rows: PairedScores) -> list[dict[str, Any]]:
    """
    Measure both models by every metric.

    Args:
        verdict: Holds the metrics that were judged, with their values; they come first, as they were judged. The rule
            that it was made under gives confidence and seed, the same for all.
    """
    applied = verdict.get("rule") or {}
    rule = replace(GateRule(), **{key: applied[key] for key in ("confidence", "replicates", "seed") if key in applied})
    judged = [part for part in (verdict, *(verdict.get("also") or ())) if part.get("gain") is not None]
    names = {part["metric"] for part in judged}
    others = [name for name in MEASURES[rows.task] if name not in names]
    asked = [Question(name, rows.champion) for name in others]
    shown = [_shown(found, rule) for found in compare(asked, rows, replicates=_REPLICATES, seed=rule.seed)]
    return [_judged(part, rule) for part in judged] + shown


def _judged(part: Mapping[str, Any], rule: GateRule) -> dict[str, Any]:
    names = ("champion", "challenger", "gain", "lower", "upper", "margin")
    return _metric(part["metric"], rule, rule.replicates, judged=True) | {name: part[name] for name in names}


def _shown(found: Contrast, rule: GateRule) -> dict[str, Any]:
    sign = 1.0 if METRICS[found.metric].higher_is_better else -1.0
    lower, upper = sorted(sign * bound for bound in found.bounds(rule.confidence))
    values = (found.other, found.challenger, sign * found.difference, lower, upper, None)
    names = ("champion", "challenger", "gain", "lower", "upper", "margin")
    plain = {name: value if is_usable(value) else None for name, value in zip(names, values, strict=True)}
    return _metric(found.metric, rule, _REPLICATES, judged=False) | plain


def _metric(name: str, rule: GateRule, replicates: int, *, judged: bool) -> dict[str, Any]:
    return {
        "name": name,
        "judged": judged,
        "higher_is_better": METRICS[name].higher_is_better,
        "confidence": rule.confidence,
        "replicates": replicates,
    }
