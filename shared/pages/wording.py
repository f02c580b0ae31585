"""How values and verdicts are said, the same in HTML and Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

_HEADLINES = {
    "PROMOTED": "The challenger went live on {endpoint}, and was seen to serve.",
    "HELD": "A person has to decide; the champion serves on at {endpoint}.",
    "REJECTED": "The champion serves on at {endpoint}: the challenger did not meet the rule.",
    "NO_CHANGE": "The champion serves on at {endpoint}: the challenger cannot be told apart from it.",
    "SUPERSEDED": "The champion serves on at {endpoint}: newer data overtook this run.",
    "ROLLED_BACK": "The champion was put back on {endpoint}, which did not prove the challenger.",
    "FAILED": "The champion serves on at {endpoint}: this run came to nothing.",
    "CANCELLED": "The champion serves on at {endpoint}: this run was cancelled.",
    "TIMED_OUT": "The champion serves on at {endpoint}: this run took too long.",
}
_BROUGHT_BACK = "A model that was kept went live on {endpoint}, and was seen to serve."
_OPEN = "This run has not ended; the champion serves on at {endpoint}."
_COUNT = 10  # from here a whole number is taken for a count
_MARKS = {"reject": "✗ not met", "hold": "✗ to be decided", "report": "· noted"}


def mark(rule: Mapping[str, Any]) -> str:
    """Say whether a rule was met, and what it means that it was not."""
    return "✓ met" if rule["passed"] else _MARKS[rule["severity"]]


def verdict_line(report: Mapping[str, Any]) -> str:
    """Say in one sentence what the run means for who calls the endpoint."""
    state, name = report["verdict"]["state"], report["run"]["endpoint"]
    is_back = report["run"]["kind"] != "training" and state == "PROMOTED"
    sentence = _BROUGHT_BACK if is_back else _HEADLINES.get(state, _OPEN)
    return sentence.format(endpoint=f"endpoint “{name}”" if name else "its endpoint")


def number(value: float | None, digits: int = 4) -> str:
    """Write a number, or a dash where there is none; a count has no digits behind the point."""
    if value is None:
        return "–"
    if abs(value) >= _COUNT and float(value).is_integer():
        return count(int(value))
    return f"{value:.{digits}f}".replace("-", "−")


def found(rule: Mapping[str, Any]) -> str:
    """Write what was found of a rule, as a count where its bound is one."""
    counts = rule["bound"] is not None and rule["bound"] >= _COUNT and float(rule["bound"]).is_integer()
    return number(rule["value"], 0 if counts else 4)


def signed(value: float | None, digits: int = 4) -> str:
    """Write a number with its sign."""
    return "–" if value is None else f"{'+' if value > 0 else ''}{number(value, digits)}"


def percent(value: float | None) -> str:
    """Write a share."""
    return "–" if value is None else f"{100 * value:.1f} %".replace("-", "−")


def count(value: int) -> str:
    """Write a count with thin thousands."""
    return f"{value:,}".replace(",", "\u202f").replace("-", "−")


def instant(text: str) -> str:
    """Write an ISO instant to the second, in UTC."""
    return f"{text[:10]} {text[11:19]} UTC"


def seconds(value: float | None) -> str:
    """Write a duration."""
    if value is None:
        return "–"
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"


def ago(text: str, now: datetime) -> str:
    """Say how long ago an ISO instant was."""
    passed = (now - datetime.fromisoformat(text)).total_seconds()
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if passed < most * length:
            return f"{max(passed, 0) / length:.0f} {unit}"
    return f"{passed / 86400:.0f} days"


_ASKS = {
    "never": "nobody is asked; what the gate would hold is rejected",
    "on-hold": "a person decides the runs that the gate holds",
    "always": "a person decides every run before it goes live",
}


def asks(value: str) -> str:
    """Say when a person is asked, for a value of `approval.ask`."""
    return _ASKS[value]


FILTERS: dict[str, Callable[..., str]] = {
    "number": number,
    "signed": signed,
    "mark": mark,
    "found": found,
    "percent": percent,
    "count": count,
    "instant": instant,
    "ago": ago,
    "asks": asks,
    "seconds": seconds,
}
