"""The section `approval`: when a person is asked before a promotion."""

from __future__ import annotations

from shared.declarations.section import Section
from shared.domain.deciding.approval import Approval, AskWhen


def read_approval(section: Section) -> Approval:
    """Read the rule of approval; what is not given keeps its default."""
    plain = Approval()
    ask = AskWhen(section.choice("ask", (when.value for when in AskWhen), plain.ask.value))
    approval = Approval(ask, bool(section.take("allow_self", bool, plain.allow_self)))
    section.close()
    return approval
