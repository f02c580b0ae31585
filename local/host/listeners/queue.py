"""
Takes messages from one queue and sees each to its end: run, deleted, released or put aside as poison.

Delivery is at least once. Source: the platform's QueueListener and QueueProcessor.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueClient, QueueMessage

from local.host.invocation import Heartbeat
from local.host.listeners.polling import Backoff
from local.host.storage import ensure_queue

_LOG = logging.getLogger(__name__)
_HIDDEN_S = 600.0  # fixed on the platform; renewed at half-time

# Runs the message; True means success. The heartbeat keeps the message hidden meanwhile.
Process = Callable[[QueueMessage, Heartbeat], bool]
# Names the queue for a message that failed too often; None when there is none for it.
Poison = Callable[[QueueMessage], QueueClient | None]


@dataclass(frozen=True)
class QueueRules:
    """Limits of one listener; see `extensions.queues` in host.json."""

    batch_size: int
    new_batch_threshold: int
    max_dequeue_count: int
    visibility_timeout_s: float
    max_polling_interval_s: float
    min_polling_interval_s: float = 0.1
    hidden_s: float = _HIDDEN_S

    @property
    def concurrency(self) -> int:
        """Most messages in work at once."""
        return self.batch_size + self.new_batch_threshold


class QueueListener:
    """One queue's listener, on a thread of its own, with threads for the messages in work."""

    def __init__(self, queue: QueueClient, rules: QueueRules, process: Process, poison: Poison) -> None:
        self._queue = queue
        self._rules = rules
        self._process = process
        self._poison = poison
        self._backoff = Backoff(rules.min_polling_interval_s, rules.max_polling_interval_s)
        self._pool = ThreadPoolExecutor(rules.concurrency, thread_name_prefix=f"queue-{queue.queue_name}")
        self._in_work = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"queue-{queue.queue_name}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    def wake(self) -> None:
        """Look at once: a message has just been sent from this host."""
        self._wake.set()

    def stop(self) -> None:
        """Take no more messages; those in work go on."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def drain(self) -> None:
        """Wait until the messages in work have ended."""
        self._pool.shutdown()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            pause_s = self._backoff.pause_s(found=self._look())
            self._wake.wait(pause_s)

    def _look(self) -> bool:
        """Receive a batch if there is room, and hand it out; answer whether there was anything."""
        with self._lock:
            if self._in_work > self._rules.new_batch_threshold:
                return True
        try:
            messages = list(self._receive())
        except AzureError as error:
            _LOG.warning("The queue '%s' cannot be read and is tried again: %s", self._queue.queue_name, _brief(error))
            return False
        with self._lock:
            self._in_work += len(messages)
        for message in messages:
            self._pool.submit(self._handle, message)
        return bool(messages)

    def _receive(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._rules.batch_size, visibility_timeout=round(self._rules.hidden_s)
        ).by_page()
        try:
            return list(next(pages, []))
        except HttpResponseError as error:
            if error.status_code == 404:
                return []  # nobody has made the queue yet
            raise

    def _handle(self, message: QueueMessage) -> None:
        try:
            self._settle(message)
        except Exception as error:  # on a thread of the pool, anything else would end in silence
            _LOG.warning("Message %s could not be settled and will be seen again: %s", message.id, _brief(error))
        finally:
            with self._lock:
                self._in_work -= 1
            self._wake.set()

    def _settle(self, message: QueueMessage) -> None:
        if (message.dequeue_count or 0) > self._rules.max_dequeue_count:
            self._put_aside(message)
        elif self._process(message, Heartbeat(self._rules.hidden_s / 2, lambda: self._hide(message))):
            self._delete(message)
        elif (message.dequeue_count or 0) >= self._rules.max_dequeue_count:
            self._put_aside(message)
        else:
            self._change_visibility(message, self._rules.visibility_timeout_s)

    def _hide(self, message: QueueMessage) -> None:
        try:
            self._change_visibility(message, self._rules.hidden_s)
        except AzureError as error:
            _LOG.warning("Message %s could not be kept hidden: %s", message.id, _brief(error))

    def _change_visibility(self, message: QueueMessage, seconds: float) -> None:
        renewed = self._queue.update_message(message.id, message.pop_receipt, visibility_timeout=round(seconds))
        message.pop_receipt = renewed.pop_receipt

    def _put_aside(self, message: QueueMessage) -> None:
        """Copy to the poison queue, then delete, not atomically; without such a queue the message stays hidden."""
        poison = self._poison(message)
        if poison is None:
            return
        _LOG.error(
            "Message %s failed %d times: it is moved to the queue '%s'.",
            message.id, self._rules.max_dequeue_count, poison.queue_name,
        )  # fmt: skip
        ensure_queue(poison).send_message(message.content)
        self._delete(message)

    def _delete(self, message: QueueMessage) -> None:
        try:
            self._queue.delete_message(message.id, message.pop_receipt)
        except HttpResponseError as error:
            if error.status_code not in (400, 404):
                raise
            _LOG.debug("message %s belongs to somebody else by now", message.id)


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
