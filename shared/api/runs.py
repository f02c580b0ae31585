"""`/api/runs`: what runs did, and why."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer, not_found
from shared.composition import App


def add_runs(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of runs."""

    @app.function_name("list_runs")
    @app.route(route="runs", methods=["GET"])
    def list_runs(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/runs[?model=NAME]`."""
        return json_answer(relearn.views.runs(req.params.get("model")))

    @app.function_name("get_run")
    @app.route(route="runs/{id}", methods=["GET"])
    def get_run(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/runs/{id}`."""
        run_id = req.route_params["id"]
        run = relearn.views.run(run_id)
        return json_answer(run) if run else not_found(f"run '{run_id}'", "/api/runs")
