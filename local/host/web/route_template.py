"""ASP.NET route templates: `items/{id:int}/{view?}`, `files/{*path}`."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_]\w*)((?::[^{}=?]+(?:\([^)]*\))?)*)(?:=([^{}?]*))?(\?)?\}")
_CONSTRAINT = re.compile(r":([a-z]+)(?:\(([^)]*)\))?", re.IGNORECASE)
_CATCH_ALL, _FREE, _CONSTRAINED, _LITERAL = 3, 2, 1, 0


@dataclass(frozen=True)
class _Segment:
    pattern: re.Pattern[str]
    checks: Mapping[str, Callable[[str], bool]]
    rank: int
    default: tuple[str, str] | None
    is_optional: bool


class RouteTemplate:
    """
    One route below the prefix.

    Literals match without case. A trailing `{name?}` or `{name=default}` may be absent; `{*name}` takes the rest.

    Raises:
        ValueError: A malformed parameter or an unknown constraint.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip("/")
        self._segments = [_segment(part, text) for part in self.text.split("/")] if self.text else []

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sort key: of two templates that match, the smaller one is served (literals before parameters)."""
        return tuple(segment.rank for segment in self._segments)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters' values for a path without its leading slash, None if it does not match."""
        parts = path.split("/") if path else []
        values: dict[str, str] = {}
        for at, segment in enumerate(self._segments):
            if segment.rank == _CATCH_ALL:
                parts = [*parts[:at], "/".join(parts[at:])]
            if at >= len(parts) or not parts[at]:
                if not segment.is_optional:
                    return None
                values.update([segment.default] if segment.default else [])
                continue
            found = segment.pattern.fullmatch(parts[at])
            if found is None or not all(check(found[name]) for name, check in segment.checks.items()):
                return None
            values.update(found.groupdict())
        return values if len(parts) <= len(self._segments) else None


def _segment(part: str, template: str) -> _Segment:
    pattern, checks, at, rank, default, is_optional = "", {}, 0, _LITERAL, None, False
    for found in _PARAMETER.finditer(part):
        stars, name, constraints, value, mark = found.groups()
        pattern += re.escape(part[at : found.start()]) + f"(?P<{name}>.+)"
        at = found.end()
        if constraints:
            checks[name] = _check(constraints, template)
        rank = _CATCH_ALL if stars else max(rank, _CONSTRAINED if constraints else _FREE)
        default = (name, value) if value is not None else None
        is_optional = bool(mark or stars) or value is not None
    rest = part[at:]
    if "{" in rest or "}" in rest:
        raise ValueError(f"route '{template}': '{part}' is not a parameter; write {{name}}, {{name:int}} or {{name?}}")
    return _Segment(re.compile(pattern + re.escape(rest), re.IGNORECASE), checks, rank, default, is_optional)


def _check(constraints: str, template: str) -> Callable[[str], bool]:
    checks = [_constraint(name.lower(), argument, template) for name, argument in _CONSTRAINT.findall(constraints)]
    return lambda value: all(check(value) for check in checks)


def _constraint(name: str, argument: str, template: str) -> Callable[[str], bool]:
    simple: dict[str, Callable[[str], bool]] = {
        "int": lambda value: _is_whole(value) and -(2**31) <= int(value) < 2**31,
        "long": lambda value: _is_whole(value) and -(2**63) <= int(value) < 2**63,
        "bool": lambda value: value.lower() in ("true", "false"),
        "alpha": lambda value: re.fullmatch("[A-Za-z]*", value) is not None,
        "guid": lambda value: _parses(uuid.UUID, value),
        "datetime": lambda value: _parses(datetime.fromisoformat, value),
        "decimal": lambda value: _parses(float, value),
        "double": lambda value: _parses(float, value),
        "float": lambda value: _parses(float, value),
        "required": bool,
    }
    if name in simple:
        return simple[name]
    if name == "regex":
        return re.compile(argument).search  # type: ignore[return-value]
    return _measured(name, argument, template)


def _measured(name: str, argument: str, template: str) -> Callable[[str], bool]:
    """Constraints on length or value, with one or two numbers."""
    numbers = [int(part) for part in argument.split(",") if part.strip().lstrip("-").isdigit()]
    match name, numbers:
        case "length", [low, high]:
            return lambda value: low <= len(value) <= high
        case "length", [exact]:
            return lambda value: len(value) == exact
        case "minlength", [low]:
            return lambda value: len(value) >= low
        case "maxlength", [high]:
            return lambda value: len(value) <= high
        case "range", [low, high]:
            return lambda value: _is_whole(value) and low <= int(value) <= high
        case "min", [low]:
            return lambda value: _is_whole(value) and int(value) >= low
        case "max", [high]:
            return lambda value: _is_whole(value) and int(value) <= high
    raise ValueError(f"route '{template}': constraint '{name}({argument})' is not known")


def _is_whole(value: str) -> bool:
    return re.fullmatch(r"-?\d+", value) is not None


def _parses(read: Callable[[str], object], value: str) -> bool:
    try:
        read(value)
    except ValueError:
        return False
    return True
