"""Each alert asks for events that the code logs, at a level at which the code logs them."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from shared.adapters.runs_table import RunTable
from shared.adapters.tables import TableStore
from shared.domain.lifecycle.runs import Run, RunState

ROOT = Path(__file__).parents[2]
QUERIES = ROOT / "infra" / "queries"
# Alert → its events, with the level that each is logged at.
ALERTS = {
    "run-failed": {"run.advanced": logging.WARNING},
    "file-too-old": {"dataset.overdue": logging.ERROR, "dataset.stuck": logging.ERROR},
    "promotion-unverified": {"promotion.restore_unproven": logging.ERROR, "run.advanced": logging.ERROR},
}
HOSTS_WORDS = {"message-poisoned"}
SEVERITIES = {logging.DEBUG: 0, logging.INFO: 1, logging.WARNING: 2, logging.ERROR: 3}
NOW = datetime(2026, 5, 1, tzinfo=UTC)
RUN = Run("r", "m", RunState.EVALUATING, NOW, NOW, (), (), "", "", "", stages=(("EVALUATING", NOW),))


def logged() -> Iterator[tuple[str, int]]:
    """Events that the code logs, with every level that stands in the call."""
    for path in (ROOT / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1:
                name, kind = node.args[1], node.func.id
                if kind in ("event", "surprise") and isinstance(name, ast.Constant):
                    said = "".join(ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "level")
                    levels = re.findall(r"logging\.([A-Z]+)", said) or ["INFO"]
                    for level in ["ERROR"] if kind == "surprise" else levels:
                        yield str(name.value), getattr(logging, level)


def test_every_alert_is_here() -> None:
    alerts = (ROOT / "infra" / "modules" / "alerts.bicep").read_text()

    assert set(re.findall(r"name: '([a-z-]+)'\n    title", alerts)) == {*ALERTS, *HOSTS_WORDS}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_asks_for_events_at_the_level_that_they_are_logged_at(alert: str) -> None:
    query = (QUERIES / f"{alert}.kql").read_text()
    least = re.search(r"SeverityLevel >= (\d)", query)
    known = set(logged())

    assert set(re.findall(r'Message startswith "(\S+) "', query)) == set(ALERTS[alert])
    for event, level in ALERTS[alert].items():
        assert int(least[1] if least else 0) <= SEVERITIES[level]
        assert event == "run.advanced" or (event, level) in known  # its level is its state's: the test below


class _Table:
    def replace(self, row: dict[str, Any], version: str) -> str:
        return "2"


@pytest.mark.parametrize(
    ("state", "level"),
    [
        (RunState.FAILED, ALERTS["run-failed"]["run.advanced"]),
        (RunState.TIMED_OUT, ALERTS["run-failed"]["run.advanced"]),
        (RunState.REJECTED, logging.INFO),
        (RunState.ROLLED_BACK, ALERTS["promotion-unverified"]["run.advanced"]),
    ],
)
def test_whoever_ends_a_run_its_end_is_logged_once(
    state: RunState, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    seen: list[Run] = []
    runs = RunTable(cast("TableStore", _Table()), seen.append)
    before = replace(RUN, state=RunState.RESTORING) if state is RunState.ROLLED_BACK else RUN

    saved = runs.save(before.advanced(state, NOW, "why"))
    runs.save(replace(saved, waits_for="its news"))

    (record,) = caplog.records
    assert record.levelno == level
    assert record.getMessage().startswith("run.advanced ")
    assert f'"state_from": "{before.state.value}", "state_to": "{state.value}", "reason": "why"' in record.getMessage()
    assert [run.state for run in seen] == [state]
