"""What a person asks for over HTTP, and who that person is."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any

import azure.functions as func

from shared.errors import RequestRefused

FILE_PLACE = re.compile(r"\d{15}:[0-9a-f]{32}")  # in the listing of files
RUN_PLACE = re.compile(r"[0-9T:.+-]{19,40}~[\w-]{1,200}")  # in the listing of runs
_PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-NAME"


@dataclass(frozen=True)
class Asked:
    """Who asks, why, and for what; `force` does what is otherwise refused."""

    by: str
    reason: str
    to: str | None = None
    until: str | None = None
    dataset: str | None = None
    force: bool = False
    token: str = ""
    decision: str = ""


def asked(req: func.HttpRequest) -> Asked:
    """
    Read a request's body.

    Returns:
        `by` is who the platform says has signed in; only where nobody signs in is the body believed.

    Raises:
        RequestRefused: The body is no JSON object, or a value in it is no text.
    """
    body = changes(req)
    given = {name: body.get(name) for name in ("by", "reason", "to", "until", "dataset", "token", "decision")}
    wrong = [name for name, value in given.items() if value is not None and not isinstance(value, str)]
    if wrong:
        raise RequestRefused(f"`{wrong[0]}` has to be a text", 400)
    force = body.get("force", False)
    if not isinstance(force, bool):
        raise RequestRefused("`force` has to be true or false", 400)
    by, reason = _signed_in(req) or given["by"] or "", given["reason"] or ""
    named = (given["to"] or None, given["until"] or None, given["dataset"] or None)
    return Asked(by, reason, *named, force, given["token"] or "", given["decision"] or "")


def changes(req: func.HttpRequest) -> dict[str, Any]:
    """
    Read a request's body as a JSON object; an empty one where there is none.

    Raises:
        RequestRefused: It is something else.
    """
    try:
        body = req.get_json() if req.get_body() else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RequestRefused('the body is no JSON object; send {"by": "…", "reason": "…"}', 400)
    return body


def page(
    req: func.HttpRequest, default: int = 100, most: int = 1000, place: re.Pattern[str] = FILE_PLACE
) -> tuple[int, str]:
    """
    Read `?limit=` and `?after=` of a listing.

    Raises:
        RequestRefused: The limit is no number in range, or `after` is nothing that a listing gave.
    """
    limit, after = req.params.get("limit") or str(default), req.params.get("after") or ""
    if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= most:
        raise RequestRefused(f"`limit` has to be a number from 1 to {most}", 400)
    if after and not place.fullmatch(after):
        raise RequestRefused("`after` has to be the `next` of the page before", 400)
    return int(limit), after


def _signed_in(req: func.HttpRequest) -> str:
    # The platform strips this header from outside requests only while it handles sign-in itself.
    if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return ""
    return str(req.headers.get(_PRINCIPAL) or "")
