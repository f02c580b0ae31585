"""Queue outputs, written after a function has succeeded, with the platform's treatment of texts that look like JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.host.functions import QueueOutput
from local.host.messages import Datum, Kind
from local.host.storage import ensure_queue, queue_account, to_queue_text


class QueueWriter:
    """
    Writes outputs one by one; there is no transaction over several.

    Args:
        is_base64: How contents are stored (`extensions.queues.messageEncoding`).
        on_written: Told each queue that got a message, so that a listener in this host need not wait for its poll.
    """

    def __init__(self, *, is_base64: bool, on_written: Callable[[QueueOutput], None]) -> None:
        self._is_base64 = is_base64
        self._on_written = on_written

    def write(self, outputs: Mapping[str, QueueOutput], values: Mapping[str, Datum]) -> None:
        """
        Send every value that names an output; queues are made when absent.

        Raises:
            AzureError: A queue could not be written; earlier outputs stay written.
            ValueError: A text begins and ends like JSON but is none.
        """
        for name, value in values.items():
            if name in outputs:
                self._send(outputs[name], queue_messages(value))

    def _send(self, output: QueueOutput, messages: Sequence[str | bytes]) -> None:
        if not messages:
            return
        queue = ensure_queue(queue_account(output.connection).get_queue_client(output.queue))
        for message in messages:
            queue.send_message(to_queue_text(message, is_base64=self._is_base64))
        self._on_written(output)


def queue_messages(value: Datum) -> Sequence[str | bytes]:
    """
    Split an output's value into messages.

    A text that looks like JSON is parsed: an array becomes one message for each element, an object is written anew,
    indented. Texts inside an array are taken as they are, and so are bytes.

    Raises:
        ValueError: It looks like JSON and is none.
    """
    if value.kind is Kind.BYTES:
        return [value.value]
    text = str(value.value)
    if value.kind is not Kind.JSON and not looks_like_json(text):
        return [text]
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise ValueError(f"a queue output begins and ends like JSON but cannot be parsed: {error}") from error
    return [_text(item) for item in (parsed if isinstance(parsed, list) else [parsed])]


def looks_like_json(text: str) -> bool:
    """Whether a text begins and ends like a JSON object or array, which is all that the platform checks."""
    text = text.strip()
    return (text.startswith("{") and text.endswith("}")) or (text.startswith("[") and text.endswith("]"))


def _text(item: Any) -> str:
    match item:
        case str():
            return item
        case None:
            return ""
        case bool():
            return str(item)  # .NET writes True and False
    return json.dumps(item, indent=2, ensure_ascii=False)
