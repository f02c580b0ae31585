"""`/api/health`: whether the app can work; asked by probes, so it wants no key."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer
from shared.composition import App


def add_health(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of health."""

    @app.function_name("health")
    @app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def health(req: func.HttpRequest) -> func.HttpResponse:
        """Answer 200 when the app can work, 503 with the reason when it cannot."""
        healthy, facts = relearn.views.health()
        return json_answer(facts, 200 if healthy else 503)
