"""Jobs in a table: partition is the endpoint, row is the job; the request is encrypted, since it holds credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.errors import AlreadyExists, Changed, ProtocolMismatch
from shared.wire import JobRequest
from studio.batch.jobs import Job, JobState
from studio.services.keys import Vault, VaultError

MAX_REQUEST_BYTES = 40_000  # encrypted, it must fit the 64 KiB of one table property

_FINAL = [state.value for state in (JobState.FINISHED, JobState.FAILED, JobState.CANCELLED)]


class JobUnreadable(Exception):
    """A stored job cannot be read: locked under another secret, or damaged; says which and why."""


class JobStore:
    """Inserts, reads, replaces and removes jobs; every replacement is conditional on the ETag that was read."""

    def __init__(self, table: TableClient, vault: Vault) -> None:
        self._table = table
        self._vault = vault

    def insert(self, job: Job) -> None:
        """Save a new job; AlreadyExists when its id is taken."""
        try:
            self._table.create_entity(self._row(job))
        except ResourceExistsError as error:
            raise AlreadyExists(f"job '{job.id}' is already there") from error

    def get(self, endpoint_id: str, job_id: str) -> Job | None:
        """Read one job, or None when the endpoint knows none of that id; JobUnreadable when its row makes no sense."""
        try:
            row = self._table.get_entity(endpoint_id, job_id)
        except ResourceNotFoundError:
            return None
        try:
            return self._job(row)
        except (VaultError, ProtocolMismatch, LookupError, ValueError, TypeError) as error:
            raise JobUnreadable(f"job '{job_id}' cannot be read: {type(error).__name__}: {error}") from error

    def fail_unread(self, endpoint_id: str, job_id: str, now: datetime, details: str) -> None:
        """End a job that cannot be read, without its request; one that has ended or is gone stays as it is."""
        try:
            row = self._table.get_entity(endpoint_id, job_id)
            if row.get("State") in _FINAL:
                return
            known = {"Experiment": "", "Attempts": 0, "CreatedAt": now, **row}
            ended = {**known, "State": JobState.FAILED.value, "EndedAt": now, "Details": details}
            kept = {name: value for name, value in ended.items() if name not in ("Request", "LeaseUntil")}
            etag, unchanged = str(row.metadata["etag"]), MatchConditions.IfNotModified
            self._table.update_entity(kept, UpdateMode.REPLACE, etag=etag, match_condition=unchanged)
        except ResourceNotFoundError:
            return
        except ResourceModifiedError as error:
            raise Changed(f"job '{job_id}' was changed by somebody else") from error

    def n_ahead(self, job: Job) -> int:
        """Count the jobs of a job's endpoint that run, or wait and were submitted before it; reads no request."""
        own = "PartitionKey eq @endpoint and State eq"
        ahead = f"{own} @running or {own} @queued and CreatedAt lt @since"
        states = {"running": JobState.RUNNING.value, "queued": JobState.QUEUED.value}
        parameters = {"endpoint": job.endpoint_id, "since": job.created_at, **states}
        return sum(1 for _ in self._table.query_entities(ahead, parameters=parameters, select=["RowKey"]))

    def save(self, job: Job) -> Job:
        """Replace the row that was read and return the job with its new ETag; Changed when it is no longer that row."""
        try:
            saved = self._table.update_entity(
                self._row(job), UpdateMode.REPLACE, etag=job.etag, match_condition=MatchConditions.IfNotModified
            )
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            raise Changed(f"job '{job.id}' was changed by somebody else") from error
        return replace(job, etag=str(saved["etag"]))

    def remove(self, job: Job) -> None:
        """Remove the row that was read; Changed when it is another by now, no matter when it is gone."""
        try:
            self._table.delete_entity(
                job.endpoint_id, job.id, etag=job.etag, match_condition=MatchConditions.IfNotModified
            )
        except ResourceModifiedError as error:
            raise Changed(f"job '{job.id}' was changed by somebody else") from error

    def remove_ended_before(self, instant: datetime) -> int:
        """Remove what ended before an instant and return how many jobs that were; outputs are not touched."""
        ended = self._table.query_entities(
            "EndedAt lt @instant", parameters={"instant": instant}, select=["PartitionKey", "RowKey"]
        )
        n_removed = 0
        for row in ended:
            self._table.delete_entity(row["PartitionKey"], row["RowKey"])  # nobody changes a job that has ended
            n_removed += 1
        return n_removed

    def _row(self, job: Job) -> dict[str, Any]:
        row = {
            "PartitionKey": job.endpoint_id,
            "RowKey": job.id,
            "Experiment": job.experiment,
            "Model": job.model or None,
            "RequestId": job.request_id or None,
            "Request": self._locked(job.request),
            "State": job.state.value,
            "Attempts": job.attempts,
            "CreatedAt": job.created_at,
            "StartedAt": job.started_at,
            "EndedAt": job.ended_at,
            "LeaseUntil": job.lease_until,
            "Details": job.details,
        }
        return {name: value for name, value in row.items() if value is not None}

    def _job(self, row: Mapping[str, Any]) -> Job:
        return Job(
            id=row["RowKey"],
            endpoint_id=row["PartitionKey"],
            experiment=row["Experiment"],
            request=self._unlocked(row.get("Request")),
            created_at=row["CreatedAt"],
            state=JobState(row["State"]),
            started_at=row.get("StartedAt"),
            ended_at=row.get("EndedAt"),
            lease_until=row.get("LeaseUntil"),
            attempts=row["Attempts"],
            details=row.get("Details"),
            model=row.get("Model", ""),
            request_id=row.get("RequestId", ""),
            etag=str(row.metadata["etag"]),  # type: ignore[attr-defined]
        )

    def _locked(self, request: JobRequest) -> bytes | None:
        return self._vault.lock(orjson.dumps(request.to_wire())) if request != JobRequest() else None

    def _unlocked(self, stored: bytes | None) -> JobRequest:
        return JobRequest.from_wire(orjson.loads(self._vault.unlock(stored))) if stored is not None else JobRequest()
