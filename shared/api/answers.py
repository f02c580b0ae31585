"""How the HTTP functions answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import azure.functions as func

from shared.errors import RequestRefused


def json_answer(document: dict[str, Any], status: int = 200) -> func.HttpResponse:
    """Answer with a JSON document."""
    return func.HttpResponse(json.dumps(document, ensure_ascii=False), status_code=status, mimetype="application/json")


def not_found(what: str, where: str) -> func.HttpResponse:
    """Answer 404, and say where to look."""
    return json_answer({"error": f"there is no {what}; GET {where} lists them"}, 404)


def answered(act: Callable[[], dict[str, Any]]) -> func.HttpResponse:
    """Answer with what a use case returns, or with its refusal."""
    try:
        return json_answer(act())
    except RequestRefused as refused:
        return json_answer({"error": str(refused)}, refused.status)


def handed_over(act: Callable[[], dict[str, Any]], evaluations: func.Out[str]) -> func.HttpResponse:
    """Answer 202 with the run that a person's request moved, and hand it to evaluation; or answer with the refusal."""
    try:
        run = act()
    except RequestRefused as refused:
        return json_answer({"error": str(refused)}, refused.status)
    evaluations.set(json.dumps({"model": run["model"], "run": run["id"]}))
    return json_answer(run, 202)


def page(data: str | bytes, policy: str, media_type: str = "text/html") -> func.HttpResponse:
    """Answer with what a browser shows; `policy` is its Content-Security-Policy."""
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return func.HttpResponse(data, headers=headers, mimetype=media_type)
