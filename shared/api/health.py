"""`/api/health`, asked by probes, so it wants no key; and `/api/doctor`, asked by a person, before the first job."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer
from shared.composition import App


def add_health(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of health."""

    @app.function_name("health")
    @app.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def health(req: func.HttpRequest) -> func.HttpResponse:
        """Answer 200 when the app is ready, 503 with the reasons when it only lives."""
        ready, facts = relearn.health.report()
        return json_answer(facts, 200 if ready else 503)

    @app.function_name("doctor")
    @app.route(route="doctor", methods=["GET"])
    def doctor(req: func.HttpRequest) -> func.HttpResponse:
        """Check the configuration against the real services; 200 whatever is found."""
        found = relearn.doctor.examine()
        problems = sum(not each.ok for each in found)
        return json_answer({"problems": problems, "checks": [each.as_json() for each in found]})
