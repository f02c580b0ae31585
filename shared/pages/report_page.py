"""The report as one HTML file that loads nothing: no script, one style sheet, pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from shared.pages import plots
from shared.pages.templates import render
from shared.pages.wording import verdict_line

_DRAWN = 50  # slices: more than that are a table's


def report_html(report: Mapping[str, Any]) -> str:
    """Render the document; every value of it is escaped."""
    return render("report.html", report=report, headline=verdict_line(report), plots=_plots(report))


def _plots(report: Mapping[str, Any]) -> dict[str, Markup]:
    drawn = {}
    two_class = report["two_class"]
    if report["metrics"]:
        drawn["intervals"] = "".join(plots.interval_plots(report["metrics"], "Gain of each metric, with its interval"))
    worst = report["slices"][:_DRAWN]
    if any(part["gain"] is not None for part in worst):
        drawn["slices"] = "".join(plots.interval_plots(worst, "Gain in each slice, with its interval"))
    if report["regression"]:
        drawn["predicted"] = plots.predicted_plot(report["regression"])
        drawn["errors"] = plots.error_plot(report["regression"])
        drawn["residuals"] = plots.residual_plot(report["regression"])
    if two_class:
        drawn["roc"] = plots.roc_plot(two_class)
        drawn["precision_recall"] = plots.precision_recall_plot(two_class)
        drawn["calibration"] = plots.calibration_plot(two_class)
        drawn["lift"] = plots.lift_plot(two_class)
        drawn["scores"] = plots.score_plot(two_class)
    drawn["history"] = plots.history_plot(report["history"], report["verdict"]["metric"])
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704 (built as a tree, so it is escaped)
