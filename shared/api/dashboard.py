"""`/api/dashboard`: a page without data that wants no key, and the content that its script fetches with one."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer, page
from shared.composition import App
from shared.errors import RequestRefused
from shared.pages.content_policy import content_policy


def add_dashboard(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of the dashboard."""

    @app.function_name("dashboard")
    @app.route(route="dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def dashboard(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/dashboard`."""
        html = relearn.dashboard.shell()
        return page(html, content_policy(html, connect=True))

    @app.function_name("dashboard_content")
    @app.route(route="dashboard/content", methods=["GET"])
    def dashboard_content(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/dashboard/content[?model=NAME | ?q=TEXT&page=N]`."""
        model = req.params.get("model")
        try:
            shown = relearn.dashboard
            html = shown.model(model) if model else shown.overview(req.params.get("q", ""), req.params.get("page", "1"))
        except RequestRefused as refused:
            return json_answer({"error": str(refused)}, refused.status)
        return page(html, content_policy(html))
