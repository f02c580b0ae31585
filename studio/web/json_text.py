"""JSON for people: what fits on a line stays on it."""

from __future__ import annotations

import json

_WIDTH = 96


def json_text(value: object, indent: str = "") -> str:
    """Lay out a JSON value; a list or object that is too long for a line gets one line for each entry."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _WIDTH:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        entries = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {json_text(value[key], inner)}" for key in value]
    elif isinstance(value, list):
        entries = [f"{inner}{json_text(entry, inner)}" for entry in value]
    else:
        return line
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    return "\n".join([opening, ",\n".join(entries), f"{indent}{closing}"])
