"""`/api/datasets`: the ledger of files."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import json_answer
from shared.composition import App


def add_datasets(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of datasets."""

    @app.function_name("list_datasets")
    @app.route(route="datasets", methods=["GET"])
    def list_datasets(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/datasets[?model=NAME]`."""
        return json_answer(relearn.views.datasets(req.params.get("model")))
