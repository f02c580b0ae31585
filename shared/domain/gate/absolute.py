"""What output2 must show by itself: floors and ceilings."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.gate.rule import GateRule
from shared.domain.gate.verdict import Check, Fault, written
from shared.domain.measuring.metrics import METRICS, is_usable, standard_error_of

_95_PERCENT = 1.645  # of a normal distribution lie below so many deviations above its mean


def absolute_checks(metrics: Mapping[str, float], rule: GateRule) -> tuple[Check, ...]:
    """
    Hold output2 against its bounds, which are inclusive; a value that is missing or cannot be fails them.

    The mean of a cross-validation's folds has to meet a bound with its one-sided 95 % bound, as far as the folds say.
    """
    floors = [_check(name, "≥", bound, metrics) for name, bound in sorted(rule.floors.items())]
    ceilings = [_check(name, "≤", bound, metrics) for name, bound in sorted(rule.ceilings.items())]
    return (*floors, *ceilings)


def _check(name: str, way: str, bound: float, metrics: Mapping[str, float]) -> Check:
    value, error = metrics.get(name), metrics.get(standard_error_of(name))
    fault, told = _fault(name, value), ""
    if fault is None and value is not None and error is not None:
        value += (-1 if way == "≥" else 1) * _95_PERCENT * error
        told = f", {'less' if way == '≥' else 'plus'} {_95_PERCENT} standard errors of its folds,"
    met = fault is None and value is not None and (value >= bound if way == "≥" else value <= bound)
    return Check(f"{name} of output2{told} {way} {written(bound)}", value, bound, met, fault=fault)


def _fault(name: str, value: float | None) -> Fault | None:
    if value is None:
        return Fault.METRIC_MISSING
    if not is_usable(value):
        return Fault.METRIC_NOT_FINITE
    known = METRICS.get(name)
    return None if known is None or known.is_possible(value) else Fault.METRIC_IMPOSSIBLE
