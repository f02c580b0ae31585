"""
The promotion rule: may the challenger take the champion's place?

Fails closed: evidence that is missing, not finite or does not fit is never a reason to promote. Source: docs/gate.md.
"""

from __future__ import annotations

from shared.domain.gate.judging import Circumstances, judge
from shared.domain.gate.rule import GateRule, MetricRule, Mode, Policy, SliceRule
from shared.domain.gate.verdict import Check, Fault, Outcome, Part, Severity, Verdict, error_verdict, is_unpaired

__all__ = [
    "Check",
    "Circumstances",
    "Fault",
    "GateRule",
    "MetricRule",
    "Mode",
    "Outcome",
    "Part",
    "Policy",
    "Severity",
    "SliceRule",
    "Verdict",
    "error_verdict",
    "is_unpaired",
    "judge",
]
