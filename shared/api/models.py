"""`/api/models`: what serves, what served, and the way back."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import answered, handed_over
from shared.api.requests import asked, changes, page
from shared.composition import EVALUATIONS, App


def add_models(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of models."""

    @app.function_name("list_models")
    @app.route(route="models", methods=["GET"])
    def list_models(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/models`."""
        return answered(relearn.history.models)

    @app.function_name("get_model")
    @app.route(route="models/{model}", methods=["GET"])
    def get_model(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/models/{model}`."""
        return answered(lambda: relearn.history.model(req.route_params["model"]))

    @app.function_name("get_serving")
    @app.route(route="models/{model}/serving", methods=["GET"])
    def get_serving(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/models/{model}/serving[?at=TIME]`."""
        return answered(lambda: relearn.history.serving(req.route_params["model"], req.params.get("at")))

    @app.function_name("rollback_model")
    @app.route(route="models/{model}/rollback", methods=["POST"])
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def rollback_model(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/models/{model}/rollback` with `{"to": …, "by": …, "reason": …}`."""
        model = req.route_params["model"]
        return handed_over(
            lambda: relearn.rollback.rollback(model, asked(req).to, asked(req).by, asked(req).reason), evaluations
        )

    @app.function_name("replay_gate")
    @app.route(route="models/{model}/replay", methods=["GET", "POST"])
    def replay_gate(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `/api/models/{model}/replay[?limit=N]`; a POST's body changes keys of the gate."""
        model = req.route_params["model"]
        return answered(lambda: relearn.replaying.replay(model, changes(req), limit=page(req, 50, 200)[0]))
