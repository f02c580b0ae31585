"""The gate's answer, with every check it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from shared.domain.gate.rule import GateRule
from shared.domain.measuring.metrics import is_usable


class Outcome(Enum):
    """What the gate says of a challenger."""

    PROMOTE = "PROMOTE"
    HOLD = "HOLD"  # a person decides
    REJECT = "REJECT"
    NO_CHANGE = "NO_CHANGE"
    ERROR = "ERROR"  # the evidence could not be judged


class Fault(Enum):
    """Why evidence counts as failing; the value is the name that verdicts, logs and reports show."""

    METRICS_UNREADABLE = "metrics-unreadable"
    METRIC_MISSING = "metric-missing"
    METRIC_NOT_FINITE = "metric-not-finite"
    METRIC_IMPOSSIBLE = "metric-impossible"
    HOLDOUT_MISSING = "holdout-missing"
    HOLDOUT_UNREADABLE = "holdout-unreadable"
    GATE_COLUMN_MISSING = "gate-column-missing"
    HOLDOUT_EMPTY = "holdout-empty"
    HOLDOUT_ONE_CLASS = "holdout-one-class"
    HOLDOUT_CONSTANT = "holdout-constant"
    LABEL_NOT_FINITE = "label-not-finite"
    LABEL_UNKNOWN = "label-unknown"
    ROWS_DO_NOT_MATCH = "rows-do-not-match"
    CHAMPION_UNSCORABLE = "champion-unscorable"
    CHALLENGER_UNSCORABLE = "challenger-unscorable"
    ANCHOR_UNSCORABLE = "anchor-unscorable"
    VALUE_UNDEFINED = "value-undefined"
    INTERVAL_UNDEFINED = "interval-undefined"
    SLICE_UNDEFINED = "slice-undefined"
    TOO_MANY_SLICES = "too-many-slices"
    NOTHING_JUDGED = "nothing-judged"


class Severity(Enum):
    """What a failed check leads to."""

    REJECT = "reject"
    HOLD = "hold"
    REPORT = "report"  # it is shown, and changes nothing


@dataclass(frozen=True)
class Check:
    """One rule held against one value."""

    rule: str
    value: float | None
    bound: float | None
    passed: bool
    severity: Severity = Severity.REJECT
    fault: Fault | None = None

    def sentence(self) -> str:
        """Say the rule and what was found."""
        found = "missing" if self.value is None else written(self.value, ".6g")
        return f"{f'{self.fault.value}: ' if self.fault else ''}{self.rule}: found {found}"


@dataclass(frozen=True)
class Part:
    """A comparison beside the main one: another metric, a slice, the last approved model, the holdout before."""

    name: str
    metric: str
    n_rows: int
    champion: float | None = None
    challenger: float | None = None
    gain: float | None = None
    lower: float | None = None
    upper: float | None = None
    margin: float | None = None
    state: str = "passed"  # or "failed", "too small", "not judged"


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
    fault: Fault | None = None
    also: tuple[Part, ...] = ()
    slices: tuple[Part, ...] = ()
    anchor: Part | None = None
    bridge: Part | None = None
    rule: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)  # where it is kept, and its hash

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values; a value that is not finite becomes null."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def error_verdict(reason: str, rule: GateRule | None) -> Verdict:
    """Return the verdict on evidence that could not be had; its fault is the one that the reason begins with."""
    named = reason.partition(":")[0]
    fault = next((fault for fault in Fault if fault.value == named), None)
    return Verdict(Outcome.ERROR, reason, rule.metric if rule else "", fault=fault, rule=rule.as_json() if rule else {})


def is_unpaired(verdict: Mapping[str, Any] | None) -> bool:
    """Whether a kept verdict was made without comparing two models on the same rows; an ERROR is of such rows."""
    outcome = verdict.get("outcome") if verdict else None
    return outcome not in (None, Outcome.ERROR.value) and not (verdict and verdict.get("paired"))


def written(value: float, form: str = "g") -> str:
    """Write a number for people, with a true minus sign."""
    return f"{value:{form}}".replace("-", "−")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not is_usable(value) else value
