"""The dashboard: a page that holds no data, and the content that its script fetches with the visitor's key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

from shared.pages import plots
from shared.pages.templates import render, script


def dashboard_html() -> str:
    """Render the empty page."""
    return render("dashboard.html", script=script("dashboard.js"))


def overview_html(view: Mapping[str, Any], now: datetime) -> str:
    """Render what needs attention, runs and goes on."""
    return render("overview.html", view=view, now=now)


def model_html(view: Mapping[str, Any], now: datetime) -> str:
    """Render one model."""
    drawn = plots.history_plot(view["history"], view["metric"])
    return render("model.html", view=view, now=now, plot=Markup(drawn))  # noqa: S704 (built as a tree, so it is escaped)
