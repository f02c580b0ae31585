"""Runs any function by hand, as `POST /admin/functions/<name>` asks: with an input text, without its trigger."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import Executor

from azure.core.exceptions import AzureError

from local.host.functions import BlobTrigger, FunctionDefinition, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.invocation import Call, Invoker
from local.host.listeners.blob_queue import BlobQueue
from local.host.listeners.queue_trigger import manual_metadata
from local.host.messages import Datum, Kind, Request
from local.host.storage import blob_account

_LOG = logging.getLogger(__name__)
_REASON = "This function was programmatically called via the host APIs."
_TIMER = json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False})


class ByHand:
    """
    Starts runs by hand and returns at once; how they end is in the log.

    Args:
        blob_queue: None when the app has no blob trigger.
        threads: Where the runs wait for their ends.
    """

    def __init__(self, invoker: Invoker, blob_queue: BlobQueue | None, threads: Executor) -> None:
        self._invoker = invoker
        self._blob_queue = blob_queue
        self._threads = threads
        self._stopping = threading.Event()

    def start(self, function: FunctionDefinition, text: str) -> None:
        """Run with a message's text, a blob's "container/name" or a request's body; timers take no input."""
        self._threads.submit(self._try, function, text)

    def stop(self) -> None:
        """Begin no more retries."""
        self._stopping.set()

    def _try(self, function: FunctionDefinition, text: str) -> None:
        try:
            self._run(function, text)
        except AzureError as error:
            _LOG.error("Function '%s' was not run by hand with '%s': %s", function.name, text, error.message)

    def _run(self, function: FunctionDefinition, text: str) -> None:
        match function.trigger:
            case QueueTrigger():
                self._invoker.run(Call(function, Datum(Kind.STRING, text), _REASON, manual_metadata(text)))
            case TimerTrigger():
                call = Call(function, Datum(Kind.JSON, _TIMER), _REASON)
                self._invoker.run_with_retries(call, lambda seconds: not self._stopping.wait(seconds))
            case HttpTrigger(route=route):
                request = Request("POST", f"http://localhost/{route.text}", {}, {}, {}, text.encode() or None)
                self._invoker.run(Call(function, Datum(Kind.HTTP, request), _REASON))
            case BlobTrigger() as trigger:
                self._run_blob(function, trigger, text)

    def _run_blob(self, function: FunctionDefinition, trigger: BlobTrigger, text: str) -> None:
        container, _, name = text.partition("/")
        if self._blob_queue is None or not container or not name:
            _LOG.error(
                "Function '%s' was not run by hand: the input must be 'container/name', not '%s'.", function.name, text
            )
            return
        blob = blob_account(trigger.connection).get_blob_client(container, name)
        self._blob_queue.run(function, trigger, blob, _REASON)
