"""
The host's own queue between finding a blob and running a function for it.

Detection only writes a message here; this listener runs the function, so that blobs get the queue's retries and poison.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import BlobClient, BlobProperties
from azure.storage.queue import QueueClient, QueueMessage

from local.host.functions import BlobTrigger, FunctionDefinition
from local.host.host_json import BlobOptions, QueueOptions
from local.host.invocation import Call, Heartbeat, Invoker
from local.host.listeners.blob_scan import quoted
from local.host.listeners.queue import QueueListener, QueueRules
from local.host.listeners.queue_trigger import merged_with_body
from local.host.messages import BlobName, Datum, Kind
from local.host.storage import blob_account, ensure_queue, from_queue_text, queue_account, to_queue_text

_LOG = logging.getLogger(__name__)
_POISON_QUEUE = "webjobs-blobtrigger-poison"
_LARGEST_BATCH = 32


@dataclass(frozen=True)
class BlobMessage:
    """A blob's version to be worked on by a function; the JSON is the platform's."""

    function_id: str
    container: str
    blob: str
    etag: str

    def to_json(self) -> str:
        """Write it."""
        return json.dumps(
            {
                "Type": "BlobTrigger",
                "FunctionId": self.function_id,
                "BlobType": "BlockBlob",
                "ContainerName": self.container,
                "BlobName": self.blob,
                "ETag": self.etag,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> BlobMessage:
        """
        Read it.

        Raises:
            ValueError: It is not such a message.
        """
        try:
            fields = json.loads(text)
            return cls(fields["FunctionId"], fields["ContainerName"], fields["BlobName"], fields["ETag"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a blob trigger message: {text[:200]}") from error


class BlobQueue:
    """The queue `azure-webjobs-blobtrigger-<host>` with its one writer and one listener."""

    def __init__(
        self,
        connection: str,
        host_id: str,
        triggers: Mapping[str, tuple[FunctionDefinition, BlobTrigger]],
        invoker: Invoker,
        blobs: BlobOptions,
        queues: QueueOptions,
    ) -> None:
        self._triggers = triggers
        self._invoker = invoker
        self._queue = queue_account(connection).get_queue_client(f"azure-webjobs-blobtrigger-{host_id}")
        self._fallback = connection
        batch = min(_LARGEST_BATCH, blobs.max_degree_of_parallelism // 2 + 1)
        rules = QueueRules(
            batch_size=batch,
            new_batch_threshold=max(0, blobs.max_degree_of_parallelism - batch),
            max_dequeue_count=blobs.poison_blob_threshold,
            visibility_timeout_s=0.0,
            max_polling_interval_s=queues.max_polling_interval_s,
        )
        self.listener = QueueListener(self._queue, rules, self._process, self._poison_queue)

    def knows(self, function_id: str) -> bool:
        """Whether a function with this full name waits for blobs."""
        return function_id in self._triggers

    def send(self, message: BlobMessage) -> None:
        """
        Ask for a run.

        Raises:
            AzureError: The queue cannot be written.
        """
        ensure_queue(self._queue).send_message(to_queue_text(message.to_json(), is_base64=True))
        self.listener.wake()

    def run(self, function: FunctionDefinition, trigger: BlobTrigger, blob: BlobClient, reason: str) -> None:
        """
        Run a function for a blob by hand.

        Raises:
            ResourceNotFoundError: There is no such blob.
        """
        self._invoker.run(_call(function, trigger, blob, blob.get_blob_properties(), reason))

    def _process(self, message: QueueMessage, heartbeat: Heartbeat) -> bool:
        try:
            wanted = BlobMessage.from_json(from_queue_text(message.content, is_base64=True))
        except ValueError as error:
            _LOG.error("A message of the queue '%s' is dropped: %s", self._queue.queue_name, error)
            return True
        if wanted.function_id not in self._triggers:
            return True
        function, trigger = self._triggers[wanted.function_id]
        blob = blob_account(trigger.connection).get_blob_client(wanted.container, wanted.blob)
        try:
            properties = blob.get_blob_properties()
            if not trigger.is_event_grid and quoted(properties.etag) != wanted.etag:
                return True  # the newer version has been or will be found by itself
            source = "EventGrid" if trigger.is_event_grid else "LogsAndContainerScan"
            reason = f"New blob detected({source}): {wanted.container}/{wanted.blob}"
            call = _call(function, trigger, blob, properties, reason)
        except ResourceNotFoundError:
            return True
        except AzureError as error:
            _LOG.error("The blob '%s/%s' cannot be read: %s", wanted.container, wanted.blob, error.message)
            return False
        return self._invoker.run(call, heartbeat).failure is None

    def _poison_queue(self, message: QueueMessage) -> QueueClient:
        """The poison queue is in the account of the trigger's data; for what nobody knows, in the host's."""
        connection = self._fallback
        with suppress(ValueError, KeyError):
            wanted = BlobMessage.from_json(from_queue_text(message.content, is_base64=True))
            connection = self._triggers[wanted.function_id][1].connection
        return queue_account(connection).get_queue_client(_POISON_QUEUE)


def _call(
    function: FunctionDefinition, trigger: BlobTrigger, blob: BlobClient, properties: BlobProperties, reason: str
) -> Call:
    metadata = _metadata(trigger, blob, properties)
    if trigger.is_deferred:
        name = BlobName(trigger.connection_name, blob.container_name, blob.blob_name)
        return Call(function, Datum(Kind.MODEL_BINDING_DATA, name), reason, metadata)
    content = blob.download_blob().readall()
    if trigger.is_binary:
        return Call(function, Datum(Kind.BYTES, content), reason, metadata)
    text = content.decode(errors="replace")
    return Call(function, Datum(Kind.STRING, text), reason, merged_with_body(metadata, text))


def _metadata(trigger: BlobTrigger, blob: BlobClient, properties: BlobProperties) -> dict[str, Datum]:
    facts: dict[str, Any] = {
        "ContentLength": properties.size,
        "ContentType": properties.content_settings.content_type,
        "ETag": properties.etag,
        "LastModified": properties.last_modified.isoformat(),
        "CreatedOn": properties.creation_time.isoformat() if properties.creation_time else None,
        "BlobType": 0,  # block blob, as .NET numbers it
    }
    tokens = trigger.path.match(blob.blob_name) if blob.container_name == trigger.path.container else None
    return {
        "BlobTrigger": Datum(Kind.STRING, f"{blob.container_name}/{blob.blob_name}"),
        "Uri": Datum(Kind.JSON, json.dumps(blob.url)),
        "Properties": Datum(Kind.JSON, json.dumps(facts)),
        "Metadata": Datum(Kind.JSON, json.dumps(properties.metadata or {})),
        **{name: Datum(Kind.STRING, value) for name, value in (tokens or {}).items()},
    }
