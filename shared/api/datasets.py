"""`/api/datasets`: the ledger of files, why each did or did not trigger, and the way out of quarantine."""

from __future__ import annotations

from urllib.parse import unquote

import azure.functions as func

from shared.api.answers import answered
from shared.api.requests import asked, page
from shared.composition import App
from shared.errors import RequestRefused

# A file's name may hold slashes, which only the last part of a route can: what is to be done with it is in that part.
_ROUTES = {"": "datasets/{{*path}}", "_path": "datasets/{act}/{{*name}}"}


def add_datasets(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of datasets."""

    @app.function_name("list_datasets")
    @app.route(route="datasets", methods=["GET"])
    def list_datasets(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/datasets[?model=NAME][&limit=100][&after=NEXT]`."""
        return answered(lambda: relearn.views.datasets(req.params.get("model"), *page(req)))

    @app.function_name("retrain_model")
    @app.route(route="models/{model}/retrain", methods=["POST"])
    def retrain_model(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `POST /api/models/{model}/retrain` with `{"by": …, "dataset": …, "force": …, "reason": …}`."""

        def act() -> dict[str, object]:
            said = asked(req)
            model = req.route_params["model"]
            return relearn.asking.retrain(model, said.dataset, said.by, said.reason, force=said.force)

        return answered(act)

    for kind, route in _ROUTES.items():
        _add_named(app, relearn, kind, route)


def _add_named(app: func.FunctionApp, relearn: App, kind: str, route: str) -> None:
    @app.function_name(f"explain_dataset{kind}")
    @app.route(route=route.format(act="explain"), methods=["GET"])
    def explain_dataset(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/datasets/{name}/explain[?model=NAME]` or `GET /api/datasets/explain/{name}`."""
        return answered(lambda: relearn.explaining.explain(named(req, "explain"), req.params.get("model")))

    @app.function_name(f"release_dataset{kind}")
    @app.route(route=route.format(act="release"), methods=["POST"])
    def release_dataset(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `POST /api/datasets/{name}/release[?model=NAME]` or `…/release/{name}`: `{"by", "reason"}`."""

        def act() -> dict[str, object]:
            said = asked(req)
            name = named(req, "release")
            return relearn.asking.release(name, req.params.get("model"), said.by, said.reason)

        return answered(act)


def named(req: func.HttpRequest, act: str) -> str:
    """
    Return the file that a request is about.

    Raises:
        RequestRefused: Its address ends with nothing that can be done with a file.
    """
    # Slashes may come escaped: some hosts leave them so, others do not.
    if "name" in req.route_params:
        return unquote(req.route_params["name"] or "")
    name, slash, last = unquote(req.route_params.get("path") or "").rpartition("/")
    if last != act or not slash:
        raise RequestRefused(f"there is nothing here; ask {req.method} /api/datasets/{{folder/name}}/{act}", 404)
    return name
