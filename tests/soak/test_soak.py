"""The short form of the soak; `make soak` runs the long one."""

from __future__ import annotations

import pytest

from tests.soak.report import as_table
from tests.soak.soaking import Plan, soak


def test_the_ledger_balances_under_faults(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(files=32, models=4, share=0.02, seconds=150, seed=7)

    outcome = soak(plan, lambda line: None)

    table = as_table(plan, outcome)
    with capsys.disabled():
        print(f"\n{table}")  # noqa: T201 - what was injected belongs beside the result
    assert outcome.balance.files == 32
    assert outcome.balance.trained > 16
    assert sum(outcome.injected.values()) > 20
    assert outcome.balance.holds, table
