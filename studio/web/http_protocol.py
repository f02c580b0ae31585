"""
uvicorn's HTTP protocol, with a short way for requests that arrive whole and can be answered on the spot.

uvicorn starts a task for each request and writes head and body of its answer one after the other, each with a system
call of its own. Together this costs more than scoring a row. Whatever the application does not answer on the spot, and
whatever comes in pieces, goes uvicorn's way, with head and body in one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Scope
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from studio.web.answers import WholeAnswer

AtOnce = Callable[[Scope, bytes], WholeAnswer | None]


class WholeAnswers(HttpToolsProtocol):
    """
    Named in uvicorn's configuration as `http`.

    An application may have a method `answer_at_once(scope, body)`. It gets each request that came in one piece, and
    returns the answer, or None for what is to be called as an ASGI application.
    """

    def __init__(self, config: Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._at_once: AtOnce | None = getattr(config.app, "answer_at_once", None)
        self._is_reading = False
        self._held: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to answer at a connection."""
        self._paired = PairingTransport(transport, self.loop)
        super().connection_made(self._paired)  # type: ignore[arg-type]  # it has all that is used

    def data_received(self, data: bytes) -> None:
        """Read what arrived; a request whose body is still on its way is begun."""
        self._is_reading = True
        super().data_received(data)
        self._is_reading = False
        self._go_on()

    def on_message_complete(self) -> None:
        """Answer a request that is here whole."""
        super().on_message_complete()
        cycle = self._held
        if cycle is None or self._at_once is None:
            return
        answer = self._at_once(cycle.scope, bytes(cycle.body))  # type: ignore[arg-type]  # the same, typed in full
        if answer is None:
            self._go_on()
        else:
            self._held = None
            self._write(cycle, answer)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self.transport.is_closing():
            return  # the answer before was the last one
        is_for_us = self._at_once is not None and app is self.app and not self.flow.write_paused
        if is_for_us and self._is_reading and cycle.more_body:
            self._held = cycle
        else:
            super()._start_asgi_task(cycle, app)

    def _go_on(self) -> None:
        cycle, self._held = self._held, None
        if cycle is not None:
            super()._start_asgi_task(cycle, self.app)

    def _write(self, cycle: RequestResponseCycle, answer: WholeAnswer) -> None:
        content = [STATUS_LINE[answer.status]]
        for name, value in (*cycle.default_headers, *answer.headers):
            content += (name, b": ", value, b"\r\n")
        content += (b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", answer.body)
        cycle.response_started = cycle.response_complete = True
        self._paired.write_now(b"".join(content))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()


class PairingTransport:
    """
    A transport that holds one write back for the next, at most until the event loop's next turn.

    Everything but writing and closing is the underlying transport's.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

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
