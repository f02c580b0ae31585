"""What people are told of a run: one set of facts, as plain JSON, as a Microsoft Teams card, as a Slack message."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from shared.domain.gate import is_unpaired
from shared.domain.lifecycle.runs import Run, RunState
from shared.secret import Secret

NEWS = frozenset(state for state in RunState if state.is_final) | {RunState.HELD}
_VALUES = ("outcome", "paired", "metric", "champion", "challenger", "gain", "lower", "upper", "n_rows")

Json = dict[str, Any]


class Form(Enum):
    """The shape of a message; the value is what models.toml says."""

    JSON = "json"
    TEAMS = "teams"
    SLACK = "slack"


@dataclass(frozen=True)
class Notify:
    """
    Whom a model tells of its runs.

    Attributes:
        url: Of a webhook; secret, for who knows it may write to the channel.
        secret: Signs every message.
        on: The states that are told.
    """

    url: Secret
    secret: Secret
    form: Form = Form.JSON
    on: frozenset[RunState] = field(default=NEWS)


@dataclass(frozen=True)
class Links:
    """Where a reader goes from a message; empty where the app does not know its own address."""

    report: str = ""
    decide: str = ""


def news_of(run: Run, links: Links) -> Json:
    """Return the facts of a run as plain JSON; `id` is the same each time the same news is sent."""
    verdict = run.verdict or {}
    return {
        "version": 1,
        "id": f"{run.id}.{len(run.stages)}",
        "event": f"run.{run.state.value.lower()}",
        "at": run.updated_at.isoformat(),
        "model": run.model,
        "run": run.id,
        "kind": run.kind.value,
        "state": run.state.value,
        "reason": run.reason,
        "files": list(run.datasets),
        "verdict": {name: verdict.get(name) for name in _VALUES} if verdict else None,
        "report_url": links.report or None,
        "decide_url": links.decide or None,
        "command": _command(run),
    }


def message(news: Mapping[str, Any], form: Form) -> Json:
    """Put the facts into the shape that a receiver understands."""
    if form is Form.TEAMS:
        return _teams(news)
    return _slack(news) if form is Form.SLACK else dict(news)


def signature(body: bytes, secret: Secret, at: datetime) -> str:
    """Return the header that proves who sent a body, and when: `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`."""
    seconds = str(int(at.timestamp()))
    mac = hmac.digest(secret.reveal().encode(), seconds.encode() + b"." + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hex()}"


def _command(run: Run) -> str | None:
    if run.state is RunState.PROMOTED:
        back = f" --to {run.judged_champion}" if run.judged_champion else ""
        return f"relearn rollback {run.model}{back} --reason WHY"
    if run.state is RunState.HELD:
        return f"relearn approve {run.id} --reason WHY"
    return None


def _title(news: Mapping[str, Any]) -> str:
    return f"{news['state'].replace('_', ' ')}: {news['model']}"


def _verdict(news: Mapping[str, Any]) -> str:
    """Name the gate's outcome, and that it compared nothing where that is so; nothing before a verdict."""
    verdict = news["verdict"]
    if not verdict or not verdict["outcome"]:
        return ""
    return f"{verdict['outcome']} (UNPAIRED)" if is_unpaired(verdict) else str(verdict["outcome"])


def _buttons(news: Mapping[str, Any]) -> list[tuple[str, str]]:
    offered = (("Decide", news["decide_url"]), ("Report", news["report_url"]))
    return [(label, url) for label, url in offered if url]


def _teams(news: Mapping[str, Any]) -> Json:
    """An Adaptive Card, as the Workflows app of Teams takes it; facts are plain text there, so nothing is escaped."""
    facts = [
        ("Verdict", _verdict(news)),
        ("Run", news["run"]),
        ("Files", ", ".join(news["files"])),
        ("Why", news["reason"]),
    ]
    facts += [("Undo" if news["state"] == "PROMOTED" else "Decide", news["command"])] if news["command"] else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": _title(news), "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in facts if value]},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in _buttons(news)],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _slack(news: Mapping[str, Any]) -> Json:
    """Blocks of plain text, in which Slack reads no markup."""
    verdict = f"Verdict {_verdict(news)}" if _verdict(news) else ""
    lines = [verdict, f"Run {news['run']} on {', '.join(news['files'])}", news["reason"], news["command"] or ""]
    blocks: list[Json] = [
        {"type": "header", "text": _plain(_title(news), 150)},
        {"type": "section", "text": _plain("\n".join(filter(None, lines)), 3000)},
    ]
    buttons = [{"type": "button", "text": _plain(label, 75), "url": url} for label, url in _buttons(news)]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": _escaped(f"{_title(news)}: {news['reason']}"), "blocks": blocks}


def _plain(text: str, most: int) -> Json:
    return {"type": "plain_text", "text": text if len(text) <= most else f"{text[: most - 1]}…", "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
