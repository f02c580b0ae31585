"""Alerts and workbook ask for events and fields that the app logs: a renamed field would silence an alert unseen."""

from __future__ import annotations

import ast
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from report_samples import ROWS
from reports import judged, subject

from shared.domain.lifecycle.runs import RunState
from shared.telemetry.recorder import recorder_for

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "infra" / "queries").glob("*.kql"))
_LOGGERS = {"event", "surprise"}


def _asked(text: str) -> tuple[set[str], set[str]]:
    """The events that a query looks for, by name or by the beginning of one, and the fields that it reads of them."""
    (of,) = re.findall(r"extend (\w+) = parse_json\(Fields\)", text)
    events = {begin.strip() for begin in re.findall(r'Message startswith "([^"]+)"', text)}
    return events, {one or other for one, other in re.findall(rf'\b{of}(?:\.(\w+)|\["(\w+)"\])', text)}


def _logged() -> dict[str, set[str]]:
    """Each event whose fields are written out where it is logged, with these."""
    found: dict[str, set[str]] = {}
    for path in [ROOT / "function_app.py", *(ROOT / "shared").rglob("*.py")]:
        for call in _calls(path):
            names = [part.value for part in ast.walk(call.args[1]) if isinstance(part, ast.Constant)]
            for name in (name for name in names if isinstance(name, str)):
                found.setdefault(name, set()).update(word.arg for word in call.keywords if word.arg)
    return found


def _calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _LOGGERS:
            yield node


@pytest.fixture
def recorded(caplog: pytest.LogCaptureFixture) -> dict[str, set[str]]:
    """The spans and metrics of a run, a file, a tick and a call, as they are logged."""
    caplog.set_level(logging.INFO, "relearn.telemetry")
    recorder, run = recorder_for("log"), judged(ROWS)
    (file,) = subject(run, ROWS).datasets
    stages = (("EVALUATING", run.created_at), ("PROMOTED", run.updated_at))
    recorder.run_saved(replace(run, stages=stages, state=RunState.PROMOTED))
    recorder.file_settled(replace(file, run_id=run.id, settled_at=file.seen_at + timedelta(seconds=5)))
    recorder.ticked(60)
    with recorder.call("submit job", run.id):
        pass
    recorder.flush()
    found: dict[str, set[str]] = {}
    for record in caplog.records:
        name, _, fields = record.getMessage().partition(" ")
        said = json.loads(fields)
        found.setdefault(name, set()).update(said)
        if name == "metric.recorded":
            found.setdefault(said["metric"], set()).update(said)
        elif said["span"] == "submit job":
            found["a call"] = set(said)
    return found


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_a_query_reads_what_is_logged(query: Path, recorded: dict[str, set[str]]) -> None:
    text = query.read_text(encoding="utf-8")
    if "parse_json" not in text:
        return  # it reads the host's own words
    events, fields = _asked(text)
    assert events
    assert fields
    if "metric.recorded" in events:
        (metric,) = re.findall(r'Message has "(relearn\.[a-z.]+)"', text)
        assert fields <= recorded[metric]
    elif "span.ended" in events:
        assert fields <= recorded["a call"]
    else:
        known = _logged()
        named = {name: known[name] for name in known if any(_is_of(name, event) for event in events)}
        assert all(any(_is_of(name, event) for name in named) for event in events)
        assert fields <= set().union(*named.values())


def _is_of(name: str, asked: str) -> bool:
    return name == asked or (asked.endswith(".") and name.startswith(asked))


def test_each_event_of_an_alert_names_the_run_or_the_file() -> None:
    known = _logged()

    assert {"run_id", "model", "reason", "state_to"} <= known["run.advanced"]
    assert {"run_id", "model", "reason"} <= known["promotion.restore_unproven"]
    assert {"name", "since", "reason"} <= known["dataset.overdue"]
    assert "name" in known["dataset.stuck"]


def test_states_that_a_query_names_are_states() -> None:
    named = {word for path in QUERIES for word in re.findall(r'"([A-Z_]{4,})"', path.read_text(encoding="utf-8"))}

    assert named
    assert named <= {state.value for state in RunState}
    (ends,) = re.findall(r"State in \((.*)\)", (ROOT / "infra" / "queries" / "runs-by-outcome.kql").read_text())
    assert set(re.findall(r'"(\w+)"', ends)) == {state.value for state in RunState if state.is_final}
