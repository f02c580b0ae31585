"""Forgets jobs some time after their end: what is stored of them holds the credentials of their outputs."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared.logs import event
from studio.store.jobs import JobStore

_log = logging.getLogger(__name__)


def sweep_jobs(store: JobStore, kept_for: timedelta, now: datetime) -> int:
    """Remove jobs that ended longer ago than `kept_for` and return how many; may run in several processes at once."""
    n_removed = store.remove_ended_before(now - kept_for)
    if n_removed:
        event(_log, "jobs.removed", n_jobs=n_removed)
    return n_removed
