"""The report as one HTML file that loads nothing: no script, one style sheet, pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from shared.reporting import plots
from shared.reporting.wording import FILTERS, verdict_line

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "report.css").read_text(encoding="utf-8")
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters.update(FILTERS)


def report_html(report: Mapping[str, Any]) -> str:
    """Render the document; every value of it is escaped."""
    template = _TEMPLATES.get_template("report.html")
    return template.render(report=report, headline=verdict_line(report), style=Markup(_STYLE), plots=_plots(report))  # noqa: S704 (our own file)


def _plots(report: Mapping[str, Any]) -> dict[str, Markup]:
    drawn = {}
    two_class, history = report["two_class"], report["history"]
    if report["metrics"]:
        drawn["intervals"] = plots.interval_plot(report["metrics"], "Gain of each metric with its interval")
    if two_class:
        drawn["roc"] = plots.roc_plot(two_class)
        drawn["precision_recall"] = plots.precision_recall_plot(two_class)
        drawn["calibration"] = plots.calibration_plot(two_class)
    if len(history) > 1:
        drawn["history"] = plots.history_plot(history, report["verdict"]["metric"])
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 (built as a tree, so it is escaped)
