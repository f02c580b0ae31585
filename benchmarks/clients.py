"""Clients that score one row again and again over kept connections, and note when each answer came, and what it was."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.answers import probabilities
from benchmarks.server import Target

_RETRY_S = 0.01
_ANSWER_S = 10.0


@dataclass(frozen=True)
class Answer:
    """
    What one request came to.

    Attributes:
        at: Seconds of `time.perf_counter`, when the answer was there.
        probability: None when the request failed.
    """

    at: float
    probability: float | None


class Clients:
    """An asynchronous context manager: inside it the clients send; `answers` grows."""

    def __init__(self, target: Target, n_clients: int) -> None:
        self.answers: list[Answer] = []
        self._target, self._n_clients = target, n_clients
        self._request = _request(target)

    async def __aenter__(self) -> Clients:
        self._stopping = False
        gc.disable()  # a collection that goes through all answers would look like a gap of the server's
        self._tasks = [asyncio.create_task(self._send_for_ever()) for _ in range(self._n_clients)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)
        gc.enable()

    async def _send_for_ever(self) -> None:
        while not self._stopping:
            try:
                await self._send_over_one_connection()
            except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                self.answers.append(Answer(time.perf_counter(), None))
                await asyncio.sleep(_RETRY_S)

    async def _send_over_one_connection(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._target.port)
        try:
            is_open = True
            while is_open and not self._stopping:
                writer.write(self._request)
                status, body, is_open = await asyncio.wait_for(_read_answer(reader), _ANSWER_S)
                if status != b"200":
                    raise ValueError(status)
                self.answers.append(Answer(time.perf_counter(), probabilities(body)[0]))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def longest_gap(answers: Sequence[Answer], since: float) -> float:
    """Return the longest time without a good answer to any client, in seconds; it counts if it ended after `since`."""
    times = sorted(answer.at for answer in answers if answer.probability is not None)
    return max((after - before for before, after in itertools.pairwise(times) if after >= since), default=float("inf"))


def _request(target: Target) -> bytes:
    body = target.bodies[1].read_bytes()
    fields = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": len(body), **target.headers}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


async def _read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bool]:
    """Read one answer; returns status, body, and whether the connection stays open."""
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in lines if line)
    body = await reader.readexactly(int(fields[b"content-length"]))
    return status_line.split(b" ")[1], body, fields.get(b"connection") != b"close"
