"""The page that an approval link opens."""

from __future__ import annotations

from shared.pages.templates import render, script


def decide_html() -> str:
    """Render the empty page."""
    return render("decide.html", script=script("decide.js"))
