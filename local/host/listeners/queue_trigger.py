"""From a queue message to a function's input: its text, and metadata into which the text's own keys are merged."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from azure.storage.queue import QueueClient, QueueMessage

from local.host.functions import FunctionDefinition, QueueTrigger
from local.host.host_json import QueueOptions
from local.host.invocation import Call, Heartbeat, Invoker
from local.host.listeners.queue import QueueListener, QueueRules
from local.host.messages import Datum, Kind
from local.host.outputs import looks_like_json
from local.host.storage import from_queue_text, queue_account

_LOG = logging.getLogger(__name__)
_POISON_SUFFIX = "-poison"
_LONGEST_NAME = 63


def queue_listener(
    function: FunctionDefinition, trigger: QueueTrigger, invoker: Invoker, options: QueueOptions
) -> QueueListener:
    """Make the listener of a queue-triggered function."""
    account = queue_account(trigger.connection)
    poison = _poison_queue(account.get_queue_client(trigger.queue + _POISON_SUFFIX), trigger.queue)

    def process(message: QueueMessage, heartbeat: Heartbeat) -> bool:
        try:
            text = from_queue_text(message.content, is_base64=options.is_base64)
        except ValueError as error:
            _LOG.error("Message %s of the queue '%s' cannot be decoded: %s", message.id, trigger.queue, error)
            return False
        reason = f"New queue message detected on '{trigger.queue}'."
        call = Call(function, Datum(Kind.STRING, text), reason, metadata_of(message, text))
        return invoker.run(call, heartbeat).failure is None

    rules = QueueRules(
        options.batch_size,
        options.new_batch_threshold,
        options.max_dequeue_count,
        options.visibility_timeout_s,
        options.max_polling_interval_s,
    )
    return QueueListener(account.get_queue_client(trigger.queue), rules, process, lambda _: poison)


def _poison_queue(poison: QueueClient, queue: str) -> QueueClient | None:
    """A queue that is itself for poison has none, nor has one whose name leaves no room for the suffix."""
    is_fine = not queue.endswith(_POISON_SUFFIX) and len(queue + _POISON_SUFFIX) <= _LONGEST_NAME
    return poison if is_fine else None


def metadata_of(message: QueueMessage, text: str) -> dict[str, Datum]:
    """Return a message's trigger metadata; the keys of a JSON body replace equal ones, whatever their case."""
    metadata = {
        "QueueTrigger": Datum(Kind.STRING, text),
        "Id": Datum(Kind.STRING, message.id),
        "DequeueCount": _json(message.dequeue_count),
        "InsertionTime": _json(_iso(message.inserted_on)),
        "ExpirationTime": _json(_iso(message.expires_on)),
        "NextVisibleTime": _json(_iso(message.next_visible_on)),
        "PopReceipt": Datum(Kind.STRING, message.pop_receipt),
    }
    return merged_with_body(metadata, text)


def manual_metadata(text: str) -> dict[str, Datum]:
    """Return the metadata of a run by hand, which has no message behind it."""
    return merged_with_body({"QueueTrigger": Datum(Kind.STRING, text)}, text)


def merged_with_body(metadata: dict[str, Datum], text: str) -> dict[str, Datum]:
    """Merge the top-level scalars and objects of a JSON object into trigger metadata."""
    if not looks_like_json(text):
        return metadata
    try:
        body = json.loads(text)
    except ValueError:
        return metadata
    names = {name.lower(): name for name in metadata}
    for key, value in body.items() if isinstance(body, dict) else ():
        if value is not None and not isinstance(value, list):
            metadata[names.setdefault(key.lower(), key)] = _body_value(value)
    return metadata


def _body_value(value: Any) -> Datum:
    """Scalars become texts, as .NET writes them."""
    if isinstance(value, dict):
        return _json(value)
    return Datum(Kind.STRING, value if isinstance(value, str) else str(value))


def _json(value: Any) -> Datum:
    return Datum(Kind.JSON, json.dumps(value))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
