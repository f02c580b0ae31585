"""The costs in docs/azure.md are those that the program computes."""

from __future__ import annotations

import pytest

from infra.cost import ACTIVITY_RUN, Line, a_month_idle, promoted_runs, rows
from tests.infra.places import ROOT

PAGE = (ROOT / "docs" / "azure.md").read_text()


@pytest.mark.parametrize("lines", [a_month_idle(), promoted_runs()], ids=["a month", "1,000 retrains"])
def test_the_page_has_every_row(lines: tuple[Line, ...]) -> None:
    assert "\n".join(rows(lines)) in PAGE


def test_the_page_adds_them_up() -> None:
    month = sum(line.cost for line in a_month_idle())
    operations, functions, together, alone = (line.cost for line in promoted_runs())

    assert f"**about {month:.0f}**" in PAGE
    assert f"**{operations + functions + together:.1f} to {operations + functions + alone:.0f}**" in PAGE
    assert f"**{6 * 1000 * ACTIVITY_RUN:.1f}** per 1,000 retrains" in PAGE
