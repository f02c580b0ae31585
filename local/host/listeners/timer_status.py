"""What is kept of a timer between runs of the host, so that a missed run is noticed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from local.host.listeners.schedule import Schedule

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class TimerStatus:
    """Times are UTC; `last_at` is the year 1 before the first run, `updated_at` is when `next_at` was computed."""

    last_at: datetime
    next_at: datetime
    updated_at: datetime

    @classmethod
    def first(cls, schedule: Schedule, now: datetime) -> TimerStatus:
        """The status of a timer that has never run."""
        return cls(_NEVER, schedule.next_after(now), now)

    def after(self, schedule: Schedule, ran_at: datetime) -> TimerStatus:
        """The status after a run."""
        return TimerStatus(ran_at, schedule.next_after(ran_at), ran_at)

    def to_wire(self) -> dict[str, str]:
        """Write it as the platform stores it and tells the function."""
        return {
            "Last": self.last_at.isoformat(),
            "Next": self.next_at.isoformat(),
            "LastUpdated": self.updated_at.isoformat(),
        }

    @classmethod
    def from_wire(cls, fields: dict[str, str]) -> TimerStatus:
        """Read it; missing times are the year 1."""
        last, following, updated = (
            datetime.fromisoformat(fields[name]) if fields.get(name) else _NEVER
            for name in ("Last", "Next", "LastUpdated")
        )
        return cls(last, following, updated)


def examined(stored: TimerStatus | None, schedule: Schedule, now: datetime) -> tuple[TimerStatus, bool]:
    """
    Judge what was stored when the host starts.

    Pure. Source: the platform's ScheduleMonitor.CheckPastDueAsync.

    Returns:
        The status to go on with, and whether a run was missed. A first start and a schedule that was changed miss none.
    """
    if stored is None:
        return TimerStatus.first(schedule, now), False
    reference = stored.updated_at if stored.last_at == _NEVER else stored.last_at
    expected = stored.next_at if reference == _NEVER else schedule.next_after(reference)
    if expected != stored.next_at:
        next_at = schedule.next_after(now) if now > expected else expected
        return TimerStatus(stored.last_at, next_at, now), False
    return stored, now > stored.next_at


class TimerMonitor:
    """The status blob of one timer: `timers/<host>/<function>/status`."""

    def __init__(self, container: ContainerClient, host_id: str, full_name: str) -> None:
        self._blob = container.get_blob_client(f"timers/{host_id}/{full_name}/status")

    def begin(self, schedule: Schedule, now: datetime) -> tuple[TimerStatus, bool]:
        """
        Read and judge the status, and store it if it is new.

        Raises:
            AzureError: Storage failed.
        """
        stored = self._load()
        status, is_past_due = examined(stored, schedule, now)
        if status != stored:
            self.save(status)
        return status, is_past_due

    def save(self, status: TimerStatus) -> None:
        """
        Store the status.

        Raises:
            AzureError: Storage failed.
        """
        self._blob.upload_blob(json.dumps(status.to_wire()), overwrite=True)

    def _load(self) -> TimerStatus | None:
        try:
            return TimerStatus.from_wire(json.loads(self._blob.download_blob().readall()))
        except (ResourceNotFoundError, ValueError, AttributeError):
            return None  # a status that cannot be read counts as none, as on the platform
