from __future__ import annotations

import socket

import pytest

from local.host.messages import (
    Attempt,
    BlobName,
    Broken,
    Channel,
    Datum,
    Failure,
    Invoke,
    Kind,
    LogLine,
    Message,
    Outcome,
    Ready,
    Request,
    Response,
    Source,
    decode,
    encode,
)

REQUEST = Request("GET", "http://x/", {"bytes": "a header"}, {"Datum": "a query"}, {"map": "a route"}, None)


@pytest.mark.parametrize(
    "message",
    [
        Ready((Source("f", ('{"type": "queueTrigger"}',), {"max_retry_count": "2"}),)),
        Broken(Failure("SyntaxError: x", "trace")),
        Invoke("1", "f", {"req": Datum(Kind.HTTP, REQUEST)}, {"Id": Datum(Kind.NONE)}, Attempt(1, 2, Failure("x"))),
        Invoke("1", "f", {"b": Datum(Kind.MODEL_BINDING_DATA, BlobName("C", "c", "b"))}, {}),
        Outcome("1", {"$return": Datum(Kind.HTTP, Response(200, {}, ("a=b",), b"\x00\xff"))}),
        Outcome("1", {"out": Datum(Kind.BYTES, b"raw")}, Failure("x")),
        LogLine("1", "f", 20, "root", "text \u2028"),
    ],
)
def test_every_message_comes_back_as_it_was(message: Message) -> None:
    assert decode(encode(message)) == message


def test_a_channel_ends_when_the_other_side_is_gone_mid_message() -> None:
    mine, theirs = socket.socketpair()
    channel = Channel(mine)
    body = encode(LogLine("", "", 20, "root", "whole"))

    theirs.sendall(len(body).to_bytes(4) + body + (99).to_bytes(4) + b"cut")
    theirs.close()

    assert [message.text for message in channel if isinstance(message, LogLine)] == ["whole"]
    channel.close()


def test_a_channel_ends_when_the_other_side_dies_without_having_read() -> None:
    """The system then reports a reset connection instead of an end."""
    mine, theirs = socket.socketpair()
    channel = Channel(mine)
    channel.send(LogLine("", "", 20, "root", "never read"))

    theirs.close()

    assert list(channel) == []
    channel.close()
