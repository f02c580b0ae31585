"""How the HTTP functions answer."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func


def json_answer(document: dict[str, Any], status: int = 200) -> func.HttpResponse:
    """Answer with a JSON document."""
    return func.HttpResponse(json.dumps(document, ensure_ascii=False), status_code=status, mimetype="application/json")


def not_found(what: str, where: str) -> func.HttpResponse:
    """Answer 404, and say where to look."""
    return json_answer({"error": f"there is no {what}; GET {where} lists them"}, 404)
