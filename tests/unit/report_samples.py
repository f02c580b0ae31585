"""Reports of every kind, and what reads a page of one."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema_rs
import numpy as np
from reports import judged, of_many_classes, of_numbers, run, scores, subject

from shared.domain.lifecycle.runs import RunState
from shared.reporting.facts import report_facts

ROOT = Path(__file__).parents[2]
SCHEMA = jsonschema_rs.validator_for(json.loads((ROOT / "docs" / "report.schema.json").read_text()))
ROWS = scores()
SLICED = replace(ROWS, slices={"sex = <Female>": np.arange(2000) % 2 == 0, "sex = Male": np.arange(2000) < 40})

REPORTS = {
    "promoted": report_facts(subject(judged(ROWS), ROWS)),
    "rejected": report_facts(subject(judged(scores(better=False), RunState.REJECTED), scores(better=False))),
    "of many classes": report_facts(subject(judged(of_many_classes()), of_many_classes())),
    "of numbers": report_facts(subject(judged(of_numbers()), of_numbers())),
    "with slices": report_facts(subject(judged(SLICED), SLICED)),
    "failed before it was judged": report_facts(subject(run(RunState.FAILED, reason="training failed"), None)),
    "unpaired": report_facts(
        subject(run(verdict={"outcome": "PROMOTE", "metric": "AUC", "paired": False, "checks": [], "n_rows": 0}), None)
    ),
}


class Page(HTMLParser):
    """Collects what a page would load or run, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe", "object", "image", "use", "base", "form"):
            self.loads.append((tag, str(attrs)))
        self.loads += [(tag, name) for name, _ in attrs if name in ("src", "href", "style") or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data
