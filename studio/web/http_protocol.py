"""
uvicorn's HTTP protocol, with a short way for requests that can be answered on the spot.

uvicorn makes a scope, an event, a timer and a task for each request, and writes head and body of its answer one after
the other. Together this costs several times what scoring a row does. A request that the application wants to answer at
once is held back until it is here whole; every other one, and one that gets long, goes uvicorn's way.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from studio.web.answers import Headers, WholeAnswer

_HELD_DIGITS = len(str(HIGH_WATER_LIMIT))
_KEPT, _LAST = b"\r\n", b"connection: close\r\n\r\n"


class PromptApp(Protocol):
    """What an ASGI application has beside, to answer some of its requests on the spot."""

    def is_prompt(self, method: bytes, url: bytes) -> bool:
        """Whether a request to this address may be answered at once."""

    def answer_at_once(self, url: bytes, headers: Headers, body: bytes) -> WholeAnswer | None:
        """Answer; None leaves the request to be called as an ASGI application. Names of headers are in lower case."""

    def answer_malformed(self) -> WholeAnswer:
        """Answer what is no HTTP; the connection ends with it."""


class WholeAnswers(HttpToolsProtocol):
    """
    Named in uvicorn's configuration as `http`; answers at once where `config.app` is a `PromptApp` too.

    Between answers at once a single timer watches for a connection at rest: it looks when the last answer was, instead
    of being stopped and started with each.
    """

    def __init__(self, config: Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._prompt: PromptApp | None = config.app if hasattr(config.app, "answer_at_once") else None  # type: ignore[assignment]  # it has both or none
        self._holds = False
        self._was_last = False
        self._body = b""
        self._rests_since: float | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._common: tuple[object, bytes] = (None, b"")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to answer at a connection."""
        self._paired = PairingTransport(transport, self.loop)
        super().connection_made(self._paired)  # type: ignore[arg-type]  # it has all that is used

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._rest is not None:
            self._rest.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note what comes; most requests need no scope."""
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_headers_complete(self) -> None:
        """Hold a request back that may be answered at once; begin any other."""
        if self._may_hold():
            self._holds, self._body = True, b""
        else:
            self._begin()

    def on_body(self, body: bytes) -> None:
        """Collect the body, or pass it on."""
        if not self._holds:
            super().on_body(body)
            return
        self._body += body
        if len(self._body) > HIGH_WATER_LIMIT:
            self._begin_held()

    def on_message_complete(self) -> None:
        """Answer what is here whole."""
        if self._holds:
            answer = self._prompt.answer_at_once(self.url, self.headers, self._body)  # type: ignore[union-attr]  # nothing is held without it
            if answer is not None:
                self._holds = False
                self._write(answer)
                return
            self._begin_held()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP in the application's own form, unless another answer is on its way."""
        self._holds = False
        if self._prompt is None:
            super().send_400_response(msg)
        elif self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.close()
        else:
            self._write_last(self._prompt.answer_malformed())

    def shutdown(self) -> None:
        """Stop after the request under way."""
        if self._holds:
            self._begin_held()
        super().shutdown()

    def _may_hold(self) -> bool:
        return (
            self._prompt is not None
            and (self.cycle is None or self.cycle.response_complete)
            and self._prompt.is_prompt(self.parser.get_method(), self.url)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self._was_last
            and self._is_plain()
        )

    def _is_plain(self) -> bool:
        """Whether no header asks for more than an answer to a short body; most requests have none that could."""
        for name, value in self.headers:
            if name == b"content-length" and len(value) > _HELD_DIGITS:
                return False
            if name == b"connection" and (self.parser.should_upgrade() or self.parser.get_http_version() != "1.1"):
                return False
        return True

    def _begin(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _begin_held(self) -> None:
        self._holds = False
        self._begin()
        if self._body:
            super().on_body(self._body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if not self.transport.is_closing():  # else the answer before was the last one
            super()._start_asgi_task(cycle, app)

    def _write(self, answer: WholeAnswer) -> None:
        if not self.parser.should_keep_alive():
            self._write_last(answer)
            return
        self._write_now(answer, _KEPT)
        self._await_next()

    def _write_last(self, answer: WholeAnswer) -> None:
        self._write_now(answer, _LAST)
        self._was_last = True
        self.transport.close()

    def _write_now(self, answer: WholeAnswer, end: bytes) -> None:
        status, head, body = answer
        self.server_state.total_requests += 1
        common, lines = self._common
        if common is not self.server_state.default_headers:  # they change with the date
            common = self.server_state.default_headers
            lines = b"".join(b"%s: %s\r\n" % pair for pair in common)
            self._common = common, lines
        self._paired.write_now(b"".join((STATUS_LINE[status], lines, head, end, body)))

    def _await_next(self) -> None:
        self._rests_since = self.loop.time()
        if self._rest is None:
            self._rest = self.loop.call_later(self.timeout_keep_alive, self._end_rest)

    def _end_rest(self) -> None:
        self._rest = None
        if self._rests_since is None:  # a request is under way; what ends it watches again
            return
        left = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._rest = self.loop.call_later(left, self._end_rest)
        else:
            self.timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        self._rests_since = None  # something came
        if self.timeout_keep_alive_task is not None:
            super()._unset_keepalive_if_required()


class PairingTransport:
    """
    A transport that holds one write back for the next, at most until the event loop's next turn.

    Everything but writing and closing is the underlying transport's.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write `data` in order with all before."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        elif data:
            self._held = data
            self._loop.call_soon(self._release)

    def write_now(self, data: bytes) -> None:
        """Write `data`, which is whole, after all before."""
        if self._held:
            self._release()
        self._transport.write(data)

    def close(self) -> None:
        """Close once everything is written."""
        self._release()
        self._transport.close()

    def _release(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
