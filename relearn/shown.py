"""How each answer of the function app is shown to a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from relearn.tables import facts, table, visible, wrapped

Json = Mapping[str, Any]
Show = Callable[[Any, int], str]  # a document and the terminal's width → text
_APPROVALS = {  # docs/gate.md, "Approval"
    "never": "nobody is asked; what the gate would hold is rejected",
    "on-hold": "a person decides the runs that the gate holds; the others go live by themselves",
    "always": "a person decides every run before it goes live",
}

_MISSED = {"reject": "FAIL", "hold": "HOLD", "report": "note"}  # docs/gate.md, "Verdicts"


def ago(instant: str | None, now: datetime | None = None) -> str:
    """Say how long ago an ISO instant was: `40 s`, `12 min`, `5 h`, `3 d`."""
    if not instant:
        return ""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(instant)).total_seconds()
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{max(seconds, 0) / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def instant(text: str | None) -> str:
    """Write an ISO instant to the second, in UTC; empty where there is none."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if text else ""


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
        table(("STATE", "AT"), [(stage["state"], instant(stage["at"])) for stage in document["stages"]], width),
    ]
    checks = (document["verdict"] or {}).get("checks") or []
    if checks:
        parts.append(table(("", "FOUND", "RULE"), [_check(check) for check in checks], width))
    return "\n\n".join(parts)


def _check(check: Json) -> tuple[str, str, str]:
    found = "missing" if check["value"] is None else f"{check['value']:.6g}"
    return ("pass" if check["passed"] else _MISSED[check["severity"]], found, check["rule"])


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


def models(document: Json, width: int) -> str:
    """Show every model with what serves."""
    rows = [
        (
            each["name"],
            (each["champion"] or {}).get("run_id", "not looked at yet"),
            *_since(each),
            each["gate"],
            _asks(each),
        )
        for each in document["models"]
    ]
    meant = sorted({each["approval"]["ask"] for each in document["models"]} & _APPROVALS.keys())
    legend = "\n".join(f"approval {ask}: {_APPROVALS[ask]}" for ask in meant)
    return f"{table(('MODEL', 'CHAMPION', 'SINCE', 'TRAINED', 'GATE', 'APPROVAL'), rows, width)}\n\n{legend}".rstrip()


def _since(model: Json) -> tuple[str, str]:
    champion = model["champion"] or {}
    return ago(champion.get("since")), ago(champion.get("trained_at"))


def _asks(model: Json) -> str:
    return str(model["approval"]["ask"]) + ("" if model["paired"] else ", UNPAIRED")


def model(document: Json, width: int) -> str:
    """Show one model."""
    champion = document["champion"] or {}
    names = ("name", "task", "folder", "schedule", "gate", "holdout_uses")
    pairs = [(name.replace("_", " "), _word(document.get(name))) for name in names]
    asks = document["approval"]["ask"]
    pairs += [
        ("last scheduled at", instant(document.get("last_scheduled_at"))),
        ("approval", f"{_asks(document)}: {_APPROVALS.get(asks, asks)}"),
        ("champion run id", _word(champion.get("run_id"))),
        ("champion since", instant(champion.get("since"))),
        *((f"champion {name}", _word(champion.get(name))) for name in ("sha256", "artifact")),
    ]
    return facts(pairs, width)


def _word(value: object) -> str:
    return "" if value is None else str(value)


def decisions(document: Json, width: int) -> str:
    """Show decisions."""
    rows = [
        (
            each["model"],
            str(each["number"]),
            ago(each["at"]),
            each["outcome"],
            each["run_id"],
            _word(each["evidence"].get("reason")),
        )
        for each in document["decisions"]
    ]
    return table(("MODEL", "NO", "AGE", "OUTCOME", "RUN", "REASON"), rows, width) if rows else "nothing was decided yet"


def chains(document: Json, width: int) -> str:
    """Show whether each chain of decisions is whole."""
    rows = [
        (
            each["model"],
            str(each["decisions"]),
            "BROKEN" if each["problems"] else "whole",
            "; ".join(each["problems"]) or each["head"][:16],
        )
        for each in document["chains"]
    ]
    return table(("MODEL", "DECISIONS", "CHAIN", "HEAD OR PROBLEM"), rows, width) if rows else "nothing was decided yet"


def serving(document: Json, width: int) -> str:
    """Show what serves or served."""
    found = document["serving"]
    approval = found.get("approval") or {}
    return facts(
        [
            ("model", document["model"]),
            ("at", instant(document["at"])),
            ("serving", found["run_id"]),
            ("since", instant(found.get("since"))),
            ("trained on", ", ".join(found.get("files") or ())),
            ("reason", _word(found.get("reason"))),
            ("until", instant(until) if (until := str(found.get("until") or ""))[:1].isdigit() else until),
            ("asked for by", _word(found.get("requested_by"))),
            ("approved by", f"{approval['by']}: {approval['reason']}" if approval else ""),
            ("sha256", _word(found.get("sha256"))),
            ("decision", _word(found.get("decision"))),
        ],
        width,
    )


def replayed(document: Json, width: int) -> str:
    """Show what each verdict was and would be."""
    rows = [_replayed(run) for run in document["runs"]]
    headings = ("RUN", "AGE", "WAS", "NOW", "", "REASON NOW")
    said = f"{len(document['flips'])} of {document['replayed']} verdicts would flip"
    return f"{table(headings, rows, width)}\n\n{said}" if rows else "no run was judged yet"


def _replayed(run: Json) -> tuple[str, ...]:
    was, now = _word(run["was"]), _word(run["now"]) or "?"
    return (run["run_id"], ago(run["at"]), was, now, "FLIPS" if run["flips"] else "", run["reason_now"])


def diagnoses(document: Json, width: int) -> str:
    """Show every check, and what to do about those that failed."""
    checks = document["checks"]
    rows = [("ok" if check["ok"] else "WRONG", check["subject"], check["check"], check["found"]) for check in checks]
    wrong = [f"{check['subject']}, {check['check']}: {check['remedy']}" for check in checks if not check["ok"]]
    return "\n\n".join((table(("", "WHAT", "CHECK", "FOUND"), rows, width), *map(visible, wrong)))


def moved(document: Json, width: int) -> str:
    """Show the run that a person's decision moved or began."""
    model = f", puts '{document['restores']}' live" if document.get("restores") else ""
    reason = document["reason"] or "it goes on by itself"
    decided = (document.get("approval") or {}).get("decision")
    state = "is recorded" if decided == "reject" else f"is {document['state']}"
    said = f"run {document['id']} {state}{model}: {reason}"
    return f"{said}\nfollow it with: relearn runs {document['id']}"


def taken_up(document: Json, width: int) -> str:
    """Show what came of a request for training."""
    run = document.get("run")
    return f"{document['answer']}\nfollow it with: relearn runs {run['id']}" if run else str(document["answer"])


def explanation(document: Json, width: int) -> str:
    """Show why a file did or did not start a run."""
    return "\n".join(line for sentence in document["explanation"] for line in wrapped(sentence, width))


def text(document: str, width: int) -> str:
    """Show a text as it is."""
    return document.rstrip("\r\n")


def document(document: Json, width: int) -> str:
    """Show a JSON document as it is."""
    return json.dumps(document, ensure_ascii=False, indent=2)
