"""How each answer of the function app is shown to a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from relearn.tables import facts, table

Json = Mapping[str, Any]
Show = Callable[[Any, int], str]  # a document and the terminal's width → text


def ago(instant: str | None, now: datetime | None = None) -> str:
    """Say how long ago an ISO instant was: `40 s`, `12 min`, `5 h`, `3 d`."""
    if not instant:
        return ""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(instant)).total_seconds()
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{max(seconds, 0) / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def runs(document: Json, width: int) -> str:
    """Show a list of runs."""
    rows = [
        (run["id"], run["model"], run["state"], ago(run["created_at"]), ", ".join(run["datasets"]), run["reason"] or "")
        for run in document["runs"]
    ]
    headings = ("RUN", "MODEL", "STATE", "AGE", "FILES", "REASON")
    return table(headings, rows, width) if rows else "no runs: drop a training file, or `relearn retrain MODEL`"


def run(document: Json, width: int) -> str:
    """Show one run: what it is, its stages with times, the gate's rules."""
    parts = [
        facts(
            [
                ("run", document["id"]),
                ("model", document["model"]),
                ("state", document["state"]),
                ("reason", document["reason"] or ""),
                ("files", ", ".join(document["datasets"])),
                ("job", document["job_id"] or ""),
            ],
            width,
        ),
        table(("STATE", "AT"), [(stage["state"], stage["at"]) for stage in document["stages"]], width),
    ]
    checks = (document["verdict"] or {}).get("checks") or []
    if checks:
        parts.append(table(("", "FOUND", "RULE"), [_check(check) for check in checks], width))
    return "\n\n".join(parts)


def _check(check: Json) -> tuple[str, str, str]:
    found = "missing" if check["value"] is None else f"{check['value']:.6g}"
    return ("pass" if check["passed"] else "FAIL", found, check["rule"])


def datasets(document: Json, width: int) -> str:
    """Show the ledger of files."""
    rows = [
        (
            file["name"],
            file["model"],
            file["state"],
            ago(file["seen_at"]),
            str(file["rows"] or ""),
            file["run_id"] or "",
            file["reason"] or "",
        )
        for file in document["datasets"]
    ]
    headings = ("FILE", "MODEL", "STATE", "AGE", "ROWS", "RUN", "REASON")
    return table(headings, rows, width) if rows else "no files: drop one into training-data/FOLDER/"
