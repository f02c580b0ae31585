"""
The help pages of an endpoint, where `HelpLocation` points: overview, /score, /jobs, /update.

They show what its self-description shows, need no key like it, and never hold one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from studio.engine.experiment import Experiment
from studio.errors import NotFound
from studio.publications.experiments import Experiments
from studio.services.addresses import Addresses
from studio.serving.registry import Served
from studio.web.calls import Call, Calls
from studio.web.help.content import Content, every_page, jobs_page, scoring_page, update_page

_HERE = "apihelp/workspaces/{owner}/webservices/{service}/endpoints/{endpoint}"
_PAGES = (
    ("", "Overview"),
    ("/score", "Request/response"),
    ("/jobs", "Batch execution"),
    ("/update", "Update resource"),
)
_ASSETS = {"help.css": "text/css; charset=utf-8", "form.js": "text/javascript; charset=utf-8"}
_FOLDER = Path(__file__).parent / "templates"

# A page may load its own style and script and call this service: nothing else, so that a typed key goes nowhere else.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_Writer = Callable[[Served, Experiment, Addresses], Content]

_templates = Environment(loader=FileSystemLoader(_FOLDER), undefined=StrictUndefined, autoescape=True)


class HelpApi:
    """The handlers; addresses on a page are relative, so that it works under any prefix."""

    def __init__(self, experiments: Experiments, addresses: Addresses) -> None:
        self._experiments = experiments
        self._addresses = addresses

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes."""
        return [
            *(Route(f"/apihelp/{name}", calls(self.asset)) for name in _ASSETS),
            Route(f"/{_HERE}", calls(self.overview)),
            Route(f"/{_HERE}/score", calls(self.score)),
            Route(f"/{_HERE}/jobs", calls(self.jobs)),
            Route(f"/{_HERE}/update", calls(self.update)),
        ]

    def overview(self, call: Call) -> Response:
        """Show the addresses."""
        return self._page(call, "", lambda *_: {})

    def score(self, call: Call) -> Response:
        """Show how to score, with a form that does."""
        return self._page(call, "/score", scoring_page)

    def jobs(self, call: Call) -> Response:
        """Show how to run a batch job."""
        return self._page(call, "/jobs", jobs_page)

    def update(self, call: Call) -> Response:
        """Show how to give the endpoint another model."""
        return self._page(call, "/update", update_page)

    def asset(self, call: Call) -> Response:
        """Answer with the style or the script."""
        name = call.address.rpartition("/")[2]
        return Response((_FOLDER / name).read_bytes(), headers=_HEADERS, media_type=_ASSETS[name])

    def _page(self, call: Call, page: str, write: _Writer) -> Response:
        served = call.open_endpoint()
        if served.service.id != call.path("service"):
            raise NotFound("WebServiceNotFound", "no such endpoint in this web service; check the address")
        experiment = self._experiments.get(served.service.experiment)
        here = _HERE.format(owner=call.path("owner"), service=served.service.id, endpoint=served.endpoint.id)
        text = _templates.get_template(f"{page.lstrip('/') or 'overview'}.html").render(
            **every_page(served, self._addresses),
            **write(served, experiment, self._addresses),
            root="../" * (here + page).count("/"),
            here=here,
            pages=_PAGES,
            current=page,
        )
        return Response(text, headers=_HEADERS, media_type="text/html; charset=utf-8")
