"""
What host and worker say to each other: frozen records, sent as JSON behind a length prefix over a socket.

Both sides import this module and nothing else of each other. Nothing received is ever executed or unpickled.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any

_PREFIX = struct.Struct(">I")  # body length in bytes


class Kind(Enum):
    """How a value travels; the names are those of the platform's TypedData."""

    NONE = "none"
    STRING = "string"
    BYTES = "bytes"
    JSON = "json"
    HTTP = "http"
    MODEL_BINDING_DATA = "model_binding_data"


@dataclass(frozen=True)
class Datum:
    """
    One typed value.

    `value` is text for `STRING` and `JSON` (a JSON document), bytes for `BYTES`, a `Request` or `Response` for `HTTP`,
    a `BlobName` for `MODEL_BINDING_DATA`.
    """

    kind: Kind
    value: Any = None


@dataclass(frozen=True)
class Request:
    """An HTTP request as a function sees it; `body` is None when none was forwarded."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Response:
    """An HTTP response as a function gave it; each cookie is the value of one Set-Cookie header."""

    status: int
    headers: Mapping[str, str]
    cookies: Sequence[str]
    body: bytes


@dataclass(frozen=True)
class BlobName:
    """A blob by name, for bindings that fetch it themselves; `connection` names the setting that opens the account."""

    connection: str
    container: str
    blob: str


@dataclass(frozen=True)
class Failure:
    """An exception, in words."""

    message: str
    trace: str = ""


@dataclass(frozen=True)
class Source:
    """One function as the app declares it; each raw binding is the JSON text that the real worker would send."""

    name: str
    raw_bindings: Sequence[str]
    retry: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Ready:
    """Worker to host, once: the app is loaded."""

    functions: Sequence[Source]


@dataclass(frozen=True)
class Broken:
    """Worker to host, once instead of `Ready`: the app cannot be loaded."""

    failure: Failure


@dataclass(frozen=True)
class Attempt:
    """Which try of a retry policy this is; `number` counts from 0."""

    number: int = 0
    limit: int = 0
    failure: Failure | None = None


@dataclass(frozen=True)
class Invoke:
    """Host to worker: run a function once. `inputs` are by parameter name, `metadata` by the platform's names."""

    invocation_id: str
    function: str
    inputs: Mapping[str, Datum]
    metadata: Mapping[str, Datum]
    attempt: Attempt = field(default_factory=Attempt)


@dataclass(frozen=True)
class Outcome:
    """Worker to host: how an invocation ended. `outputs` are by binding name; `$return` is the returned value."""

    invocation_id: str
    outputs: Mapping[str, Datum] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True)
class LogLine:
    """Worker to host: one log record; `invocation_id` and `function` are empty outside of an invocation."""

    invocation_id: str
    function: str
    level: int
    category: str
    text: str


Message = Ready | Broken | Invoke | Outcome | LogLine

_RECORDS: dict[str, type[Any]] = {
    record.__name__: record
    for record in (
        Attempt, BlobName, Broken, Datum, Failure, Invoke, LogLine, Outcome, Ready, Request, Response, Source,
    )
}  # fmt: skip


class Channel:
    """One end of the socket; sending is safe from several threads, receiving is for one."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._reader = end.makefile("rb")
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """
        Send one message.

        Raises:
            OSError: The other side is gone.
        """
        body = encode(message)
        with self._sending:
            self._socket.sendall(_PREFIX.pack(len(body)) + body)

    def __iter__(self) -> Iterator[Message]:
        """Yield messages until either side closes or the other one dies, which also cuts off what it had not read."""
        while body := self._body():
            yield decode(body)

    def _body(self) -> bytes:
        """Read one message's body; empty at the end."""
        try:
            prefix = self._reader.read(_PREFIX.size)
            length = _PREFIX.unpack(prefix)[0] if len(prefix) == _PREFIX.size else 0
            body = self._reader.read(length)
        except (OSError, ValueError):  # reset by a dead peer, closed by us
            return b""
        return body if len(body) == length else b""

    def close(self) -> None:
        """Close this end; the other side's iteration stops."""
        with suppress(OSError):  # the other side may have been quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.close()
        self._socket.close()


def encode(message: Message) -> bytes:
    """Write a message as JSON in which every object has one key, its type: a key of user data cannot be mistaken."""
    return json.dumps(_pack(message)).encode()


def decode(body: bytes) -> Message:
    """Read what `encode` wrote; sequences come back as tuples."""
    message: Message = _unpack(json.loads(body))
    return message


def _pack(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, Kind):
        return {"kind": value.value}
    if isinstance(value, Mapping):
        return {"map": {key: _pack(item) for key, item in value.items()}}
    if isinstance(value, Sequence):
        return [_pack(item) for item in value]
    return {type(value).__name__: {f.name: _pack(getattr(value, f.name)) for f in fields(value)}}


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpack(item) for item in value)
    if not isinstance(value, dict):
        return value
    ((tag, content),) = value.items()
    if tag == "bytes":
        return base64.b64decode(content)
    if tag == "kind":
        return Kind(content)
    parts = {name: _unpack(item) for name, item in content.items()}
    return parts if tag == "map" else _RECORDS[tag](**parts)
