"""
A proxy that injects faults into HTTP: between the app, the service and the storage emulator, in either direction.

Well-kept proxies with faults are programs of other languages; this one knows as much HTTP/1.1 as the parties speak:
bodies with a length, or in chunks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from multiprocessing.connection import Connection

from tests.soak.faults import CONFLICT, Faults

_HANG_S = 5.0
_CLOSED_S = 0.3
_SLOW_PIECES = 8
_LIMIT = 2**20


class Proxy:
    """Listens on one port and forwards to another."""

    def __init__(self, target: int, faults: Faults) -> None:
        self._target, self._faults = target, faults
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        """Listen, on the same port as before."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _refuse_for_a_while(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        await asyncio.sleep(_CLOSED_S)
        await self.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                request = head + await _body(reader, head, is_answer=False)
                if upstream is None:
                    upstream = await asyncio.open_connection("127.0.0.1", self._target, limit=_LIMIT)
                if not await self._exchange(head, request, upstream, writer):
                    return
        except (asyncio.IncompleteReadError, OSError):
            return
        finally:
            for stream in (writer, upstream[1] if upstream else None):
                if stream is not None:
                    with contextlib.suppress(OSError, RuntimeError):
                        stream.close()

    async def _exchange(
        self,
        head: bytes,
        request: bytes,
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        client: asyncio.StreamWriter,
    ) -> bool:
        """Forward one request, or do worse; return whether the connection lives on."""
        fault = self._faults.draw(is_conditional=b"\r\nif-match:" in head.lower())
        if fault == "refused connection":
            await self._refuse_for_a_while()
            return _reset(client)
        if fault == "reset before the request":
            return _reset(client)
        if fault == CONFLICT:
            return await _send(client, _refusal(412, "UpdateConditionNotSatisfied"))
        if fault.startswith("status ") and not fault.endswith("request"):
            return await _send(client, _refusal(int(fault.split()[1]), "ServerBusy"))
        upstream[1].write(request)
        answer_head = await upstream[0].readuntil(b"\r\n\r\n")
        has_no_body = head.startswith(b"HEAD ")
        body = b"" if has_no_body else await _body(upstream[0], answer_head, is_answer=True)
        return await self._answer(fault, answer_head, body, client)

    async def _answer(self, fault: str, head: bytes, body: bytes, client: asyncio.StreamWriter) -> bool:
        if fault == "reset after the request":
            return _reset(client)
        if fault == "timeout":
            await asyncio.sleep(_HANG_S)
            return _reset(client)
        if fault == "status 500 after the request":
            return await _send(client, _refusal(500, "InternalError"))
        if fault == "truncated body":
            await _send(client, head + body[: len(body) // 2])
            return False
        if fault == "slow body":
            size = max(len(body) // _SLOW_PIECES, 1)
            client.write(head)
            for at in range(0, len(body), size):
                await asyncio.sleep(0.1)
                await _send(client, body[at : at + size])
            return True
        return await _send(client, head + body)


def run(targets: dict[str, int], share: float, seed: int, control: Connection) -> None:
    """Proxy every target until the other end says stop; send the ports first, and the counts at the end."""
    asyncio.run(_run(targets, Faults(share, seed), control))


async def _run(targets: dict[str, int], faults: Faults, control: Connection) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # torn connections are the purpose
    proxies = {name: Proxy(port, faults) for name, port in targets.items()}
    for proxy in proxies.values():
        await proxy.open()
    control.send({name: proxy.port for name, proxy in proxies.items()})
    while not control.poll():
        await asyncio.sleep(0.2)
    share, faults.share = faults.share, 0.0
    control.recv()  # from here on nothing goes wrong, so that what is under way may end
    control.send({"share": share, "requests": faults.requests, "injected": dict(faults.injected)})
    while not control.poll():
        await asyncio.sleep(0.2)


async def _body(reader: asyncio.StreamReader, head: bytes, *, is_answer: bool) -> bytes:
    """Read what follows a head, as it is on the wire."""
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if is_answer and lines[0].split(" ")[1] in ("204", "304"):
        return b""
    if "content-length" in headers:
        return await reader.readexactly(int(headers["content-length"]))
    if headers.get("transfer-encoding", "") != "chunked":
        return b""
    body = b""
    while True:
        size = await reader.readuntil(b"\r\n")
        piece = await reader.readexactly(int(size, 16) + 2)
        body += size + piece
        if int(size, 16) == 0:
            return body


async def _send(client: asyncio.StreamWriter, data: bytes) -> bool:
    client.write(data)
    await client.drain()
    return True


def _reset(client: asyncio.StreamWriter) -> bool:
    """Close a connection so that the other side sees a reset rather than an orderly end."""
    sock = client.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.transport.abort()
    return False


def _refusal(status: int, code: str) -> bytes:
    details = [{"code": code, "message": "injected"}]
    body = json.dumps({"error": {"code": code, "message": "injected", "details": details}}).encode()
    return (
        f"HTTP/1.1 {status} Injected\r\nContent-Type: application/json\r\nx-ms-error-code: {code}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
