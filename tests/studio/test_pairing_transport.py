"""Head and body of an answer in one write: everything in order, nothing held back."""

from __future__ import annotations

import asyncio

import pytest

from studio.web.http_protocol import PairingTransport


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


def test_a_whole_answer_goes_out_at_once_after_what_is_held_back() -> None:
    async def write() -> _Transport:
        inner = _Transport()
        outer = PairingTransport(inner, asyncio.get_running_loop())
        outer.write(b"100 Continue ")
        outer.write_now(b"answer")
        return inner

    assert asyncio.run(write()).writes == [b"100 Continue ", b"answer"]
