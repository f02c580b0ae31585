"""Publishing over HTTP: begin, ask how far it is, complete. All of it needs the workspace token."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.errors import ConfigError
from shared.wire import JobReport, JobStatus
from studio.errors import NotFound, Unavailable
from studio.publications.publishing import Activity, Publishing
from studio.services.addresses import Addresses
from studio.serving.registry import Registry
from studio.store.catalog import CatalogStore
from studio.web.calls import MAX_DEFINITION_BYTES, Call, Calls, json_response

_STATUS = {JobStatus.FINISHED: "Trained", JobStatus.FAILED: "Failed", JobStatus.CANCELLED: "Cancelled"}


class PublishingApi:
    """The handlers."""

    def __init__(self, publishing: Publishing, store: CatalogStore, registry: Registry, addresses: Addresses) -> None:
        self._publishing = publishing
        self._store = store
        self._registry = registry
        self._addresses = addresses

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes."""
        experiments = "/workspaces/{owner}/experiments"
        return [
            Route(experiments, calls(self.begin_publication, max_bytes=MAX_DEFINITION_BYTES), methods=["POST"]),
            Route(f"{experiments}/{{activity}}", calls(self.show_publication), methods=["GET"]),
            Route(f"{experiments}/{{activity}}/webservice", calls(self.complete_publication), methods=["POST"]),
        ]

    def begin_publication(self, call: Call) -> Response:
        """Take a declaration and the name of its data; answers 202 while a worker trains."""
        activity = self._publishing.begin(self._workspace(call), call.json(), call.request_id)
        call.note(job_id=activity.job_id)
        self._registry.refresh()
        return self._shown(activity, JobReport(JobStatus.NOT_STARTED), 202)

    def show_publication(self, call: Call) -> Response:
        """Say how far a publication is."""
        self._workspace(call)
        activity = Activity.from_id(call.path("activity"))
        return self._shown(activity, self._publishing.report(activity))

    def complete_publication(self, call: Call) -> Response:
        """Publish what was trained; answers with ids, addresses and keys."""
        workspace, activity = self._workspace(call), Activity.from_id(call.path("activity"))
        try:
            publication = self._publishing.complete(workspace, activity, call.json())
        except ConfigError as error:
            raise Unavailable("NoMoreResources", str(error)) from None
        self._registry.refresh()
        call.note(job_id=activity.job_id, service=publication.predictive.name)
        return json_response(publication.to_json(self._addresses))

    def _workspace(self, call: Call) -> str:
        call.require_workspace_token()
        workspace = self._store.workspace()
        if workspace is None or workspace != call.path("owner"):
            raise NotFound(
                "WorkspaceNotFound", "no such workspace; STUDIO_WORKSPACE says which, before the first publication"
            )
        return workspace

    def _shown(self, activity: Activity, report: JobReport, status: int = 200) -> Response:
        return json_response(
            {
                "ActivityId": activity.id,
                "Status": _STATUS.get(report.status, "Pending"),
                "Details": report.details,
            },
            status,
        )
