"""
uvicorn's HTTP protocol, with the head and the body of an answer in one write.

uvicorn writes them one after the other, and the event loop passes each to the kernel at once: two system calls and two
packets, which together cost more than scoring a row.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class WholeAnswers(HttpToolsProtocol):
    """Named in uvicorn's configuration as `http`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to answer at a connection."""
        super().connection_made(PairingTransport(transport, self.loop))  # type: ignore[arg-type]  # it has all that is used


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
