"""JSON for people: what fits on a line stays on it."""

from __future__ import annotations

import json
from collections.abc import Sequence

_WIDTH = 96


def json_text(value: object, indent: str = "") -> str:
    """
    Lay out a JSON value.

    A list or object that is too long for a line gets one line for each entry; a list of plain values, as few lines as
    hold it.
    """
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, dict | list):
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        entries = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {json_text(value[key], inner)}" for key in value]
    elif any(isinstance(entry, dict | list) for entry in value):
        entries = [f"{inner}{json_text(entry, inner)}" for entry in value]
    else:
        entries = _filled(value, inner)
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return "\n".join([opening, ",\n".join(entries), f"{indent}{closing}"])


def _filled(values: Sequence[object], indent: str) -> list[str]:
    """Write plain values into lines, each as full as the width allows."""
    lines: list[str] = []
    for value in values:
        text = json.dumps(value, ensure_ascii=False)
        if lines and len(lines[-1]) + len(text) + 2 < _WIDTH:
            lines[-1] += f", {text}"
        else:
            lines.append(f"{indent}{text}")
    return lines
