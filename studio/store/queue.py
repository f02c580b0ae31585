"""The queue of errands: jobs to run, and submitted jobs to look at again when their time is over."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

import orjson
from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueClient, QueueMessage

from shared.logs import event
from studio.batch.jobs import LEASE, UNSTARTED_LIFETIME

_RECEIPT_IS_STALE = (400, 404)  # PopReceiptMismatch, MessageNotFound

_log = logging.getLogger(__name__)


class Errand(Enum):
    """What a message asks a worker to do with a job."""

    RUN = "run"
    SETTLE = "settle"  # sent at submission, seen when an unstarted job expires: drop it, or repair a lost RUN


@dataclass(frozen=True)
class Message:
    """An errand that this worker holds until its lease ends; `receipt` belongs to the queue."""

    errand: Errand
    endpoint_id: str
    job_id: str
    receipt: QueueMessage

    @property
    def n_looks(self) -> int:
        """How often the errand was received, this time included."""
        return int(self.receipt.dequeue_count or 0)


class JobQueue:
    """
    Sends and receives errands; delivery is at least once.

    Args:
        lease: How long a received errand is hidden from other workers; whole seconds.
        announce: Called after a job was handed over, to wake a worker that waits nearby.
    """

    def __init__(
        self, queue: QueueClient, lease: timedelta = LEASE, announce: Callable[[], None] = lambda: None
    ) -> None:
        self._queue = queue
        self._lease = lease
        self._announce = announce

    def ask_to_run(self, endpoint_id: str, job_id: str) -> None:
        """Hand a job to the next free worker."""
        self._send(Errand.RUN, endpoint_id, job_id, timedelta())
        self._announce()

    def ask_to_settle(self, endpoint_id: str, job_id: str) -> None:
        """Have a worker look at a job once it can have expired."""
        self._send(Errand.SETTLE, endpoint_id, job_id, UNSTARTED_LIFETIME)

    def receive(self) -> Message | None:
        """Take the next errand for the length of one lease, or None when there is none."""
        receipt = self._queue.receive_message(visibility_timeout=_seconds(self._lease))
        if receipt is None:
            return None
        try:
            body = orjson.loads(receipt.content)
            return Message(Errand(body["errand"]), str(body["endpoint"]), str(body["job"]), receipt)
        except (ValueError, KeyError, TypeError):
            event(_log, "errand.dropped", level=logging.WARNING, message_id=receipt.id, reason="it is no errand")
            self._queue.delete_message(receipt)
            return None

    def hold(self, message: Message, length: timedelta | None = None) -> Message:
        """Keep an errand from other workers for `length` (one lease) from now; zero gives it back at once."""
        receipt = self._queue.update_message(
            message.receipt, visibility_timeout=_seconds(self._lease if length is None else length)
        )
        return Message(message.errand, message.endpoint_id, message.job_id, receipt)

    def done(self, message: Message) -> None:
        """Take an errand off the queue; one that another worker holds by now is left to it."""
        try:
            self._queue.delete_message(message.receipt)
        except HttpResponseError as error:
            if error.status_code not in _RECEIPT_IS_STALE:
                raise
            event(_log, "errand.taken_over", level=logging.WARNING, job_id=message.job_id)

    def _send(self, errand: Errand, endpoint_id: str, job_id: str, delay: timedelta) -> None:
        body = orjson.dumps({"errand": errand.value, "endpoint": endpoint_id, "job": job_id}).decode()
        self._queue.send_message(body, visibility_timeout=_seconds(delay))


def _seconds(length: timedelta) -> int:
    return max(0, round(length.total_seconds()))
