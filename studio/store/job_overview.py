"""Jobs as their table shows them at a glance: states and times, without the requests, which are encrypted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from azure.data.tables import TableClient

from studio.batch.jobs import JobState

_COLUMNS = ["RowKey", "PartitionKey", "State", "CreatedAt", "StartedAt", "EndedAt", "Attempts", "Details"]


@dataclass(frozen=True)
class JobLine:
    """One job; times are UTC."""

    id: str
    endpoint_id: str
    state: JobState
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    details: str | None


@dataclass(frozen=True)
class JobCounts:
    """How many jobs are in each state, and when the oldest that waits for a worker was submitted."""

    by_state: Mapping[JobState, int]
    oldest_waiting_at: datetime | None


class JobOverview:
    """Reads the jobs' table."""

    def __init__(self, table: TableClient) -> None:
        self._table = table

    def of_endpoint(self, endpoint_id: str) -> list[JobLine]:
        """List an endpoint's jobs, newest first."""
        rows = self._table.query_entities(
            "PartitionKey eq @endpoint", parameters={"endpoint": endpoint_id}, select=_COLUMNS
        )
        return sorted(map(_line, rows), key=lambda line: line.created_at, reverse=True)

    def counts(self) -> JobCounts:
        """Count all jobs; reads the whole table, state and time alone."""
        rows = list(self._table.query_entities("", select=["State", "CreatedAt"]))
        waiting = [row["CreatedAt"] for row in rows if row["State"] == JobState.QUEUED.value]
        by_state = Counter(JobState(row["State"]) for row in rows)
        return JobCounts({state: by_state[state] for state in JobState}, min(waiting, default=None))


def _line(row: Mapping[str, Any]) -> JobLine:
    return JobLine(
        id=row["RowKey"],
        endpoint_id=row["PartitionKey"],
        state=JobState(row["State"]),
        created_at=row["CreatedAt"],
        started_at=row.get("StartedAt"),
        ended_at=row.get("EndedAt"),
        attempts=row["Attempts"],
        details=row.get("Details"),
    )
