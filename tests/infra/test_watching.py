"""Alerts, workbook, budget and sampling: what is logged is kept, found by the queries, and told to somebody."""

from __future__ import annotations

import json
import re
from pathlib import Path

from infra.checks.template import properties, read_template, text_of
from tests.infra.places import INFRA, ROOT

MODULES = {path.stem: path.read_text() for path in (INFRA / "modules").glob("*.bicep")}


def test_no_event_is_sampled_away() -> None:
    """The queries read AppTraces: an alert must not depend on which of them a sample holds."""
    sampling = json.loads((ROOT / "host.json").read_text())["logging"]["applicationInsights"]["samplingSettings"]

    assert set(sampling["excludedTypes"].split(";")) == {"Request", "Exception", "Trace"}


def test_queries_run_where_their_tables_have_these_names() -> None:
    """AppTraces and TimeGenerated are the workspace's names; the component calls them traces and timestamp."""
    assert all("AppTraces" in path.read_text() for path in (INFRA / "queries").glob("*.kql"))
    assert "scopes: [workspaceId]" in MODULES["alerts"]
    assert "sourceId: workspaceId" in MODULES["workbook"]
    assert "resourceType: 'microsoft.operationalinsights/workspaces'" in MODULES["workbook"]


def test_alerts_are_made_before_the_first_line_is_logged() -> None:
    """Azure refuses a rule whose query names a table that it does not know yet, unless it is told not to look."""
    found = read_template(INFRA / "modules" / "alerts.bicep").resources
    (rule,) = (each for each in found if each.type == "Microsoft.Insights/scheduledQueryRules")
    (inner,) = (value for name, value, _ in properties(rule.body) if name == "properties")

    assert ("skipQueryValidation", "true") in [(name, text_of(value)) for name, value, _ in properties(inner)]


def test_every_query_is_shown_in_the_workbook() -> None:
    shown = set(re.findall(r"queries/([a-z-]+)\.kql", MODULES["workbook"]))

    assert shown == {path.stem for path in (INFRA / "queries").glob("*.kql")}


def test_a_later_month_leaves_the_budget_alone() -> None:
    """Azure refuses another start date, and `utcNow` gives one each month."""
    assert "@onlyIfNotExists()\nresource budget " in MODULES["budget"]
    assert MODULES["budget"].count("contactRoles: ['Owner']") == 2


def test_every_metric_has_its_query() -> None:
    recorder = (ROOT / "shared" / "telemetry" / "opentelemetry_recorder.py").read_text()
    measured = set(re.findall(r'create_\w+\("(relearn\.[a-z.]+)"', recorder))
    asked = set(re.findall(r'Message has "(relearn\.[a-z.]+)"', "".join(map(_text, QUERIES))))

    assert measured - {"relearn.runs"} == asked  # runs by outcome are counted from the events, each with its reason


QUERIES = sorted((INFRA / "queries").glob("*.kql"))


def _text(path: Path) -> str:
    return path.read_text()
