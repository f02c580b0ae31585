"""What a person asks for over HTTP, and who that person is."""

from __future__ import annotations

import os
from dataclasses import dataclass

import azure.functions as func

from shared.errors import RequestRefused

_PRINCIPAL = "X-MS-CLIENT-PRINCIPAL-NAME"


@dataclass(frozen=True)
class Asked:
    """Who asks, why, and for what."""

    by: str
    reason: str
    to: str | None = None


def asked(req: func.HttpRequest) -> Asked:
    """
    Read a request's body.

    Returns:
        `by` is who the platform says has signed in; only where nobody signs in is the body believed.

    Raises:
        RequestRefused: The body is no JSON object, or a value in it is no text.
    """
    try:
        body = req.get_json() if req.get_body() else {}
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise RequestRefused('the body is no JSON object; send {"by": "…", "reason": "…"}', 400)
    given = {name: body.get(name) for name in ("by", "reason", "to")}
    wrong = [name for name, value in given.items() if value is not None and not isinstance(value, str)]
    if wrong:
        raise RequestRefused(f"`{wrong[0]}` has to be a text", 400)
    return Asked(_signed_in(req) or given["by"] or "", given["reason"] or "", given["to"] or None)


def _signed_in(req: func.HttpRequest) -> str:
    # The platform strips this header from outside requests only while it handles sign-in itself.
    if os.environ.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        return ""
    return str(req.headers.get(_PRINCIPAL) or "")
