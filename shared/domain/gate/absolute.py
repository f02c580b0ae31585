"""What output2 must show by itself: floors and ceilings."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.gate.rule import GateRule
from shared.domain.gate.verdict import Check, Fault, written
from shared.domain.measuring.metrics import METRICS, is_usable


def absolute_checks(metrics: Mapping[str, float], rule: GateRule) -> tuple[Check, ...]:
    """Hold output2 against its bounds, which are inclusive; a value that is missing or cannot be fails them."""
    floors = [_check(name, "≥", bound, metrics.get(name)) for name, bound in sorted(rule.floors.items())]
    ceilings = [_check(name, "≤", bound, metrics.get(name)) for name, bound in sorted(rule.ceilings.items())]
    return (*floors, *ceilings)


def _check(name: str, way: str, bound: float, value: float | None) -> Check:
    fault = _fault(name, value)
    met = fault is None and value is not None and (value >= bound if way == "≥" else value <= bound)
    return Check(f"{name} of output2 {way} {written(bound)}", value, bound, met, fault=fault)


def _fault(name: str, value: float | None) -> Fault | None:
    if value is None:
        return Fault.METRIC_MISSING
    if not is_usable(value):
        return Fault.METRIC_NOT_FINITE
    known = METRICS.get(name)
    return None if known is None or known.is_possible(value) else Fault.METRIC_IMPOSSIBLE
