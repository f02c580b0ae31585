"""Batch execution (BES): submit, start, status, delete."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.wire import JobReport, JobStatus
from studio.batch.batches import Batches
from studio.batch.job_ports import job_ports
from studio.batch.submission import read_submission
from studio.blobs.blob_access import BlobAccess
from studio.errors import InvalidOperation
from studio.publications.experiments import Experiments
from studio.web.calls import Call, Calls, empty_response, json_response


class BatchApi:
    """The handlers; a request without api-version is answered as services of 2014/15 did."""

    def __init__(self, batches: Batches, experiments: Experiments, blobs: BlobAccess) -> None:
        self._batches = batches
        self._experiments = experiments
        self._blobs = blobs

    def routes(self, calls: Calls) -> list[BaseRoute]:
        """List the routes, for workspaces and for subscriptions."""
        found: list[BaseRoute] = []
        for owner in ("workspaces", "subscriptions"):
            jobs = f"/{owner}/{{owner}}/services/{{endpoint}}/jobs"
            found += [
                Route(jobs, calls(self.submit), methods=["POST"]),
                Route(f"{jobs}/{{job}}", calls(self.status), methods=["GET"]),
                Route(f"{jobs}/{{job}}", calls(self.delete), methods=["DELETE"]),
                Route(f"{jobs}/{{job}}/start", calls(self.start), methods=["POST"]),
            ]
        return found

    def submit(self, call: Call) -> Response:
        """Answer with the job id as a JSON string: quote, 32 hex digits, quote, nothing else."""
        served = call.endpoint_by_id()
        service, endpoint = served.service, served.endpoint
        ports = job_ports(service.kind, self._experiments.get(service.experiment))
        request = read_submission(call.json(), ports, self._blobs)
        job = self._batches.submit(endpoint.id, service.experiment, request, endpoint.model, call.request_id)
        call.note(job_id=job.id)
        if not call.has_api_version:
            self._batches.start(endpoint.id, job.id)
        return json_response(job.id)

    def start(self, call: Call) -> Response:
        """Start a submitted job; whatever body came with the call does not matter."""
        served = call.endpoint_by_id()
        call.note(job_id=call.path("job"))
        try:
            self._batches.start(served.endpoint.id, call.path("job"))
        except InvalidOperation:
            if call.has_api_version:
                raise
        return empty_response()

    def status(self, call: Call) -> Response:
        """Answer with the job's status; 200 also when it failed."""
        served = call.endpoint_by_id()
        report = self._batches.report(served.endpoint.id, call.path("job"))
        call.note(job_id=call.path("job"), job_status=report.status.value)
        return json_response(report.to_wire() if call.has_api_version else _in_the_oldest_form(report))

    def delete(self, call: Call) -> Response:
        """Cancel or forget a job."""
        served = call.endpoint_by_id()
        call.note(job_id=call.path("job"))
        self._batches.cancel(served.endpoint.id, call.path("job"))
        return empty_response()


def _in_the_oldest_form(report: JobReport) -> dict[str, object]:
    """The integer code, and the first output once more under the singular name."""
    body = report.to_wire()
    finished = report.status is JobStatus.FINISHED
    first = next(iter(report.results.values())).to_wire() if finished and report.results else None
    return {**body, "StatusCode": report.status.code, "Result": first}
