"""`/api/runs/{id}/report`: what a run showed, as a page, as JSON, as Markdown."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer, page
from shared.composition import App


def add_reports(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of reports."""

    @app.function_name("get_report")
    @app.route(route="runs/{id}/report", methods=["GET"])
    def get_report(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/runs/{id}/report[?format=html|json|md]`."""
        run_id, form = req.route_params["id"], req.params.get("format", "html")
        if form not in relearn.reporting.forms:
            return json_answer({"error": f"known formats are {', '.join(relearn.reporting.forms)}"}, 400)
        report = relearn.reporting.read(run_id, form)
        if report is None:
            missing = f"there is no report of run '{run_id}': one is written when a run that trained is judged or ends"
            return json_answer({"error": missing}, 404)
        return page(report.data, report.policy, report.media_type)
