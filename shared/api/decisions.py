"""`/api/decisions`: the chain of decisions, to read, to export and to verify."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import answered, json_answer
from shared.composition import App
from shared.errors import RequestRefused


def add_decisions(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of decisions."""

    @app.function_name("list_decisions")
    @app.route(route="decisions", methods=["GET"])
    def list_decisions(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/decisions[?model=NAME][&format=json|csv]`."""
        model = req.params.get("model")
        if req.params.get("format") != "csv":
            return answered(lambda: relearn.history.decisions_json(model))
        try:
            return func.HttpResponse(relearn.history.decisions_csv(model), mimetype="text/csv")
        except RequestRefused as refused:
            return json_answer({"error": str(refused)}, refused.status)

    @app.function_name("verify_decisions")
    @app.route(route="decisions/verify", methods=["GET"])
    def verify_decisions(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/decisions/verify[?model=NAME]`: whether the chain is whole, and what is wrong with it."""
        return answered(lambda: relearn.history.verify(req.params.get("model")))
