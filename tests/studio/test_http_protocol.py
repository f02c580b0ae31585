"""Answers over a real connection: on the spot where the application can, everything whole and in order."""

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
from starlette.types import ASGIApp, Receive, Scope, Send

from studio.web.answers import Headers, WholeAnswer
from studio.web.http_protocol import WholeAnswers


class _Prompt:
    """Answers /prompt on the spot and says so, unless it is told to wait; leaves the rest to another application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    def is_prompt(self, method: bytes, url: bytes) -> bool:
        return url == b"/prompt"

    def answer_at_once(self, url: bytes, headers: Headers, body: bytes) -> WholeAnswer | None:
        if body == b"wait":
            return None
        answer = b"at once " + body
        return 200, b"content-length: %d\r\n" % len(answer), answer

    def answer_malformed(self) -> WholeAnswer:
        return 400, b"content-length: 4\r\n", b"no.."


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server with this protocol, whose answers are short, empty, long and in parts."""

    async def short(request: Request) -> Response:
        return Response(b"short " + await request.body())

    async def prompt(request: Request) -> Response:
        return Response(b"in a task " + await request.body())

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

    routes = [Route(f"/{name.__name__}", name, methods=["GET", "POST"]) for name in (short, prompt, empty, long, parts)]
    config = uvicorn.Config(_Prompt(Starlette(routes=routes)), http=WholeAnswers, log_config=None, timeout_keep_alive=1)
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


PROMPT = b"POST /prompt HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
LAST = b"Connection: close\r\n\r\n"


def test_a_request_that_comes_whole_is_answered_at_once(port: int) -> None:
    answer = exchange(port, PROMPT + LAST + b"body")

    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"at once body"
    assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: ")
    assert head.endswith(b"\r\nconnection: close")


def test_a_request_whose_body_comes_later_is_answered_at_once_too(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(PROMPT + LAST)
        time.sleep(0.2)
        connection.sendall(b"bo")
        time.sleep(0.2)
        connection.sendall(b"dy")
        assert connection.recv(1000).endswith(b"at once body")


def test_what_is_not_answered_at_once_is_called(port: int) -> None:
    assert exchange(port, PROMPT + LAST + b"wait").endswith(b"in a task wait")


def test_a_long_body_is_not_held_back(port: int) -> None:
    body = b"x" * 1_000_000
    head = PROMPT.replace(b"Content-Length: 4", b"Content-Length: 1000000")

    assert exchange(port, head + LAST + body).endswith(b"in a task " + body)


def test_a_body_that_came_before_leave_to_send_it_is_taken(port: int) -> None:
    answer = exchange(port, PROMPT + b"Expect: 100-continue\r\n" + LAST + b"body")

    assert answer.endswith(b"in a task body")


def test_a_caller_of_http_1_0_is_answered_and_let_go(port: int) -> None:
    answer = exchange(port, PROMPT.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\nbody")

    assert answer.endswith(b"connection: close\r\n\r\nat once body")


def test_a_caller_of_http_1_0_that_wants_to_stay_goes_uvicorns_way(port: int) -> None:
    answer = exchange(port, PROMPT.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Connection: keep-alive\r\n\r\nbody")

    assert answer.endswith(b"in a task body")


def test_a_connection_at_rest_is_closed_after_the_keep_alive_time(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for wait_s in (0.0, 0.6, 0.6):  # longer together than the time that one rest may take
            time.sleep(wait_s)
            connection.sendall(PROMPT + b"\r\nbody")
            assert connection.recv(1000).endswith(b"at once body")
        assert connection.recv(1000) == b""


def test_a_request_that_is_on_its_way_keeps_the_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(PROMPT + b"\r\nbody")
        assert connection.recv(1000).endswith(b"at once body")
        connection.sendall(PROMPT + b"\r\nbo")
        time.sleep(1.5)
        connection.sendall(b"dy")
        assert connection.recv(1000).endswith(b"at once body")


def test_answers_at_once_and_from_tasks_keep_the_order_of_their_requests(port: int) -> None:
    prompt, short = PROMPT + b"\r\n", PROMPT.replace(b"/prompt", b"/short") + b"\r\n"
    requests = prompt + b"no 1" + short + b"no 2" + prompt + b"no 3" + short + b"no 4"

    answer = exchange(port, requests + PROMPT + LAST + b"no 5")

    found = [answer.index(b"no %d" % number) for number in range(1, 6)]
    assert found == sorted(found)
    assert answer.count(b"HTTP/1.1 200 OK") == 5


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET /short HTTP/1.1\r\nbroken header\r\n\r\n",
        b"POST /short HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /short HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
        b"POST /prompt HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n",
    ],
    ids=["first line", "header", "length", "chunk", "chunk of a request that is held"],
)
def test_what_is_no_http_is_answered_once_as_the_application_says(port: int, request_: bytes) -> None:
    answer = exchange(port, request_ + PROMPT + b"\r\nno 1")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b"connection: close\r\n\r\nno..")
    assert answer.count(b"HTTP/1.1") == 1


def test_no_second_answer_is_written_into_one_that_is_on_its_way(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /parts HTTP/1.1\r\nHost: x\r\n\r\n")
        received = connection.recv(1 << 16)
        connection.sendall(b"nonsense\r\n\r\n")
        while part := connection.recv(1 << 16):
            received += part

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"400" not in received


def test_nothing_is_answered_after_the_last_answer(port: int) -> None:
    answer = exchange(port, PROMPT + LAST + b"no 1" + PROMPT + b"\r\nno 2")

    assert b"no 1" in answer
    assert b"no 2" not in answer


def test_a_thousand_requests_in_one_piece_are_answered(port: int) -> None:
    answer = exchange(port, (PROMPT + b"\r\nbody") * 999 + PROMPT + LAST + b"body")

    assert answer.count(b"at once body") + answer.count(b"in a task body") == 1000
