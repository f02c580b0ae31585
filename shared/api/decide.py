"""`/api/decide`: where an approval link leads. Its token is the key; a GET shows an empty page and decides nothing."""

from __future__ import annotations

import azure.functions as func

from shared.api.answers import answered, handed_over, page
from shared.api.requests import asked
from shared.composition import EVALUATIONS, App
from shared.pages.content_policy import content_policy


def add_decide(app: func.FunctionApp, relearn: App) -> None:
    """Add the functions of approval links."""

    @app.function_name("decide_page")
    @app.route(route="decide", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    def decide_page(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `GET /api/decide`."""
        html = relearn.deciding.shell()
        return page(html, content_policy(html, connect=True))

    @app.function_name("look_by_link")
    @app.route(route="decide/look", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    def look_by_link(req: func.HttpRequest) -> func.HttpResponse:
        """Answer `POST /api/decide/look` with `{"token": …}`: the held run and its report."""
        return answered(lambda: relearn.deciding.look(asked(req).token))

    @app.function_name("decide_by_link")
    @app.route(route="decide", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    @app.queue_output(arg_name="evaluations", queue_name=EVALUATIONS, connection="DATA_STORAGE")
    def decide_by_link(req: func.HttpRequest, evaluations: func.Out[str]) -> func.HttpResponse:
        """Answer `POST /api/decide` with `{"token": …, "decision": "approve"|"reject", "by": …, "reason": …}`."""

        def act() -> dict[str, object]:
            said = asked(req)
            return relearn.approvals.decide_by_link(said.token, said.decision, said.reason, said.by)

        return handed_over(act, evaluations)
