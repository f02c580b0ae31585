"""A pipe between the processes of one `serve`: who queues a job rings, and one idle worker looks into the queue."""

from __future__ import annotations

import contextlib
import os
import select
from dataclasses import dataclass


@dataclass(frozen=True)
class Doorbell:
    """The two ends of the pipe as file descriptors; a process has either or both, -1 for the one that it has not."""

    listens_at: int = -1
    rings_at: int = -1

    @classmethod
    def hung(cls) -> Doorbell:
        """Make a pipe; both ends belong to this process until it hands them on."""
        listens_at, rings_at = os.pipe()
        os.set_blocking(listens_at, False)
        os.set_blocking(rings_at, False)
        return cls(listens_at, rings_at)

    def ring(self) -> None:
        """Wake one worker; a pipe that is full has woken enough of them."""
        if self.rings_at >= 0:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self.rings_at, b"!")

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, and take that one ring; False when it did not within `seconds`."""
        if not select.select([self.listens_at], [], [], seconds)[0]:
            return False
        with contextlib.suppress(BlockingIOError):  # another worker was quicker
            return bool(os.read(self.listens_at, 1))
        return False

    @property
    def can_ring_here(self) -> bool:
        """Whether this process can be woken."""
        return self.listens_at >= 0
