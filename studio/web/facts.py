"""What the parts that answer a request know of it, for its log line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

REQUEST_ID = "studio.request_id"  # where a request's scope holds the id that its answer will carry
_FACTS = "studio.facts"


def note(scope: Scope, **facts: Any) -> None:
    """Add facts, such as the job id, to the log line of the request under way."""
    noted = scope.get(_FACTS)
    if noted is None:
        scope[_FACTS] = facts
    else:
        noted.update(facts)


def noted(scope: Scope) -> Mapping[str, Any]:
    """Return the facts noted so far."""
    facts: Mapping[str, Any] = scope.get(_FACTS, {})
    return facts
