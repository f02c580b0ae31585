"""The HTTP functions, one module for each resource; each handler hands its request to one use case."""

from __future__ import annotations

import azure.functions as func

from shared.api.dashboard import add_dashboard
from shared.api.datasets import add_datasets
from shared.api.decide import add_decide
from shared.api.decisions import add_decisions
from shared.api.health import add_health
from shared.api.models import add_models
from shared.api.reports import add_reports
from shared.api.runs import add_runs
from shared.composition import App


def register(app: func.FunctionApp, relearn: App) -> None:
    """Add every HTTP function to the app."""
    for add in (add_runs, add_reports, add_datasets, add_models, add_decisions, add_dashboard, add_decide, add_health):
        add(app, relearn)
