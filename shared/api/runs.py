"""`/api/runs`: what runs did, and why."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import answered, handed_over, json_answer, not_found
from shared.api.requests import RUN_PLACE, asked, page
from shared.composition import EVALUATIONS, App


def add_runs(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of runs."""

    @app.function_name("list_runs")
    @app.route(route="runs", methods=["GET"])
    def list_runs(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/runs[?model=NAME][&limit=100][&after=NEXT]`."""
        return answered(lambda: relearn.views.runs(req.params.get("model"), *page(req, place=RUN_PLACE)))

    @app.function_name("get_run")
    @app.route(route="runs/{id}", methods=["GET"])
    def get_run(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/runs/{id}`."""
        run_id = req.route_params["id"]
        run = relearn.views.run(run_id)
        return json_answer(run) if run else not_found(f"run '{run_id}'", "/api/runs")

    @app.function_name("approve_run")
    @app.route(route="runs/{id}/approve", methods=["POST"])
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def approve_run(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/runs/{id}/approve` with `{"by": …, "reason": …}`: let a held run promote."""
        run_id = req.route_params["id"]
        return handed_over(lambda: relearn.approvals.approve(run_id, asked(req).by, asked(req).reason), evaluations)

    @app.function_name("reject_run")
    @app.route(route="runs/{id}/reject", methods=["POST"])
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def reject_run(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/runs/{id}/reject` with `{"by": …, "reason": …}`: end a held run."""
        run_id = req.route_params["id"]
        return handed_over(lambda: relearn.approvals.reject(run_id, asked(req).by, asked(req).reason), evaluations)

    @app.function_name("override_run")
    @app.route(route="runs/{id}/override", methods=["POST"])
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def override_run(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/runs/{id}/override` with `{"by": …, "reason": …, "until": …}`: promote what was refused."""

        def act() -> dict[str, object]:
            said = asked(req)
            return relearn.rollback.override(req.route_params["id"], said.by, said.reason, said.until)

        return handed_over(act, evaluations)

    @app.function_name("cancel_run")
    @app.route(route="runs/{id}/cancel", methods=["POST"])
    def cancel_run(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `POST /api/runs/{id}/cancel` with `{"by": …, "reason": …}`: end a run before its promotion."""
        run_id = req.route_params["id"]
        return answered(lambda: relearn.interventions.cancel(run_id, asked(req).by, asked(req).reason))

    @app.function_name("retry_run")
    @app.route(route="runs/{id}/retry", methods=["POST"])
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def retry_run(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/runs/{id}/retry` with `{"by": …, "reason": …}`: go on now, or train again in a new run."""
        run_id = req.route_params["id"]
        return handed_over(lambda: relearn.interventions.retry(run_id, asked(req).by, asked(req).reason), evaluations)
