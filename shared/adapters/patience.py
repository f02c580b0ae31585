"""
How long the storage libraries wait for an answer, and how often they ask again within one call.

Their own defaults wait minutes (15 s before the first repetition of a blob call), while a worker is paid by time and
whatever fails is tried again by the next tick.
"""

from __future__ import annotations

from typing import Any

from azure.storage.blob import ExponentialRetry

CONNECT_S, READ_S = 5.0, 30.0
_ATTEMPTS = 4


def table_patience() -> dict[str, Any]:
    """Return the settings of a table client: up to four more attempts within about six seconds."""
    return {
        "connection_timeout": CONNECT_S,
        "read_timeout": READ_S,
        "retry_total": _ATTEMPTS,
        "retry_backoff_factor": 0.4,
        "retry_backoff_max": 5,
    }


def blob_patience() -> dict[str, Any]:
    """Return the settings of a blob client: the same, in the words of its library."""
    retries = ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=_ATTEMPTS, random_jitter_range=1)
    return {"connection_timeout": CONNECT_S, "read_timeout": READ_S, "retry_policy": retries}
