"""`/api/decisions`: the chain of decisions, to read, to export and to verify."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import answered
from shared.composition import App


def add_decisions(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of decisions."""

    @app.function_name("list_decisions")
    @app.route(route="decisions", methods=["GET"])
    def list_decisions(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/decisions[?model=NAME][&format=json|csv]`."""
        model = req.params.get("model")
        if req.params.get("format") == "csv":
            return func.HttpResponse(relearn.history.decisions_csv(model), mimetype="text/csv")
        return answered(lambda: relearn.history.decisions_json(model))

    @app.function_name("verify_decisions")
    @app.route(route="decisions/verify", methods=["GET"])
    def verify_decisions(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/decisions/verify[?model=NAME]`: whether the chain is whole, and what is wrong with it."""
        return answered(lambda: relearn.history.verify(req.params.get("model")))
