"""Client of a training service: the four calls of batch execution. Source: docs/protocol.md, "BES"."""

from __future__ import annotations

import re
from dataclasses import replace

from shared.adapters.http import ServiceCaller
from shared.domain.model import TrainingService
from shared.errors import ProtocolMismatch, ServiceRejected
from shared.wire import JobReport, JobRequest, JobStatus

_JOB_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class BatchClient:
    """Submits, starts, reads and deletes jobs of one training service."""

    def __init__(self, caller: ServiceCaller, service: TrainingService) -> None:
        self._caller, self._service = caller, service

    def submit(self, request: JobRequest, run_id: str) -> str:
        """
        Submit a job and return its id. It does nothing until it is started, and evaporates if it never is.

        Never sent twice by itself: a repeated submit makes a second job.
        """
        body = request.to_wire()
        job_id = self._call("submit job", "POST", "", run_id, body=body, repeat=False)
        if not isinstance(job_id, str) or not _JOB_ID.fullmatch(job_id):
            raise ProtocolMismatch("submit job", "a job id", job_id)
        return job_id

    def start(self, job_id: str, run_id: str) -> None:
        """Start a submitted job; one that is under way already is left alone."""
        try:
            self._call("start job", "POST", f"/{job_id}/start", run_id, body={})
        except ServiceRejected as refused:
            if refused.code != "CannotStartJob":
                raise

    def report(self, job_id: str, run_id: str) -> JobReport:
        """Read a job's status; a finished job's references carry fresh tokens."""
        try:
            report = JobReport.from_wire(self._call("read job", "GET", f"/{job_id}", run_id))
        except ServiceRejected as refused:
            if refused.status == 404:
                return JobReport(JobStatus.GONE)
            raise
        return replace(report, details=self._caller.shown(report.details)) if report.details else report

    def cancel(self, job_id: str, run_id: str) -> None:
        """Stop a job; one that is gone already is fine."""
        try:
            self._call("cancel job", "DELETE", f"/{job_id}", run_id)
        except ServiceRejected as refused:
            if refused.status != 404:
                raise

    def _call(
        self, operation: str, method: str, path: str, run_id: str, *, body: object = None, repeat: bool = True
    ) -> object:
        url = f"{self._service.jobs_url}{path}?api-version=2.0"
        result: object = self._caller.call(
            operation, method, url, self._service.key, body=body, run_id=run_id, repeat=repeat
        )
        return result
