"""The role assignments of infra/: who, where, which role."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from infra.checks.template import properties, read_template, text_of
from shared.settings import ROOT


@dataclass(frozen=True)
class Assignment:
    """
    One of them.

    Attributes:
        principal: The parameter that holds its id.
        account: The scope's symbol in the template: `data`, `studio`, `vault`, …
        place: A container of that account, or `each secret` of a list; empty for the whole.
        role: Its name in the template.
    """

    principal: str
    account: str
    place: str
    role: str


def assignments() -> list[Assignment]:
    """Read infra/modules/roles.bicep."""
    roles = read_template(ROOT / "infra" / "modules" / "roles.bicep")
    containers = {r.symbol: _text(r.body, "name") for r in roles.resources if r.is_existing and r.outer is not None}
    found = []
    for resource in roles.resources:
        role = re.search(r"role\.(\w+)", text_of(resource.body))
        principal = re.search(r"principalId: (\w+)", text_of(resource.body))
        if not resource.is_existing and role and principal:
            scope = _text(resource.body, "scope")
            account, _, place = scope.partition("::")
            place = containers.get(place.rpartition("::")[2], "")
            if scope.endswith("Secret[at]"):  # which ones: tests/infra/test_secret_roles.py
                account, place = "vault", "each secret"
            found.append(Assignment(principal[1], account, place, role[1]))
    return found


def _text(body: Any, wanted: str) -> str:
    return next((text_of(value).strip("'") for name, value, _ in properties(body) if name == wanted), "")
