"""Answers over a real connection: one write for head and body, everything in order, nothing held back."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from studio.web.http_protocol import PairingTransport, WholeAnswers


class _Transport(asyncio.Transport):
    """Notes each write as the kernel would get it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.closed = True


def written(*steps: bytes | None, turns: int = 0) -> _Transport:
    """Write the steps through a pairing transport; None lets the event loop turn."""

    async def write() -> _Transport:
        inner = _Transport()
        outer = PairingTransport(inner, asyncio.get_running_loop())
        for step in steps:
            if step is None:
                await asyncio.sleep(0)
            else:
                outer.write(step)
        for _ in range(turns):
            await asyncio.sleep(0)
        return inner

    return asyncio.run(write())


def test_two_writes_of_one_turn_are_one() -> None:
    assert written(b"head", b"body").writes == [b"headbody"]


def test_a_write_alone_goes_out_with_the_next_turn() -> None:
    assert written(b"100 Continue", None, turns=1).writes == [b"100 Continue"]


@pytest.mark.parametrize("n_writes", range(1, 8))
def test_writes_keep_their_order(n_writes: int) -> None:
    parts = [bytes([65 + at]) * at for at in range(n_writes)]

    assert b"".join(written(*parts, turns=1).writes) == b"".join(parts)


def test_what_is_held_back_is_written_before_the_connection_closes() -> None:
    async def write() -> _Transport:
        inner = _Transport()
        outer = PairingTransport(inner, asyncio.get_running_loop())
        outer.write(b"last words")
        outer.close()
        return inner

    transport = asyncio.run(write())

    assert (transport.writes, transport.closed) == ([b"last words"], True)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with this protocol, whose answers are short, empty, long and in parts."""

    async def short(request: Request) -> Response:
        return Response(b"short " + await request.body())

    async def empty(request: Request) -> Response:
        return Response(status_code=204)

    async def long(request: Request) -> Response:
        return Response(b"x" * 5_000_000)

    async def parts(request: Request) -> Response:
        async def each() -> object:
            for number in range(5):
                yield f"part {number};".encode()
                await asyncio.sleep(0.01)

        return StreamingResponse(each())  # type: ignore[arg-type]

    routes = [Route(f"/{name.__name__}", name, methods=["GET", "POST"]) for name in (short, empty, long, parts)]
    config = uvicorn.Config(Starlette(routes=routes), http=WholeAnswers, log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        with contextlib.suppress(TimeoutError):
            while part := connection.recv(1 << 16):
                received += part
    return received


def test_every_kind_of_answer_arrives_whole(port: int) -> None:
    end = b"Host: x\r\nConnection: close\r\n\r\n"

    assert exchange(port, b"GET /short HTTP/1.1\r\n" + end).endswith(b"\r\n\r\nshort ")
    assert exchange(port, b"GET /empty HTTP/1.1\r\n" + end).startswith(b"HTTP/1.1 204")
    assert exchange(port, b"GET /long HTTP/1.1\r\n" + end).endswith(b"\r\n\r\n" + b"x" * 5_000_000)
    assert exchange(port, b"GET /parts HTTP/1.1\r\n" + end).count(b";") == 5
    assert exchange(port, b"HEAD /nowhere HTTP/1.1\r\n" + end).startswith(b"HTTP/1.1 404")
    assert exchange(port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_requests_sent_together_are_answered_in_order(port: int) -> None:
    requests = [b"POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(5)]

    answer = exchange(port, b"".join(requests) + b"GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    found = [answer.index(b"short %d" % number) for number in range(5)]
    assert found == sorted(found)
    assert answer.count(b"HTTP/1.1 204") == 1


def test_a_caller_that_waits_for_leave_to_send_gets_it(port: int) -> None:
    head = b"POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"body")
        assert connection.recv(1000).endswith(b"short body")
