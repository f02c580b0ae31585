"""
What requests cost, as plain numbers; several processes add theirs up through a folder that they share.

Each process keeps a file of its own, which outlives it: counts never fall.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path

import orjson

from studio.services.keys import new_id

BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class RequestCounts:
    """
    How many requests were answered, by operation and status, and how long those timed took.

    One thread at a time counts an operation, and one at a time notes times; any thread may read.
    """

    def __init__(self) -> None:
        self._answered: Counter[tuple[str, int]] = Counter()
        self._timed = [0] * (len(BOUNDS_S) + 1)
        self._seconds = 0.0

    def count(self, operation: str, status: int) -> None:
        """Count one answered request."""
        self._answered[operation, status] += 1

    def time(self, seconds: float) -> None:
        """Note how long one took."""
        self._timed[bisect_left(BOUNDS_S, seconds)] += 1
        self._seconds += seconds

    @property
    def answered(self) -> dict[tuple[str, int], int]:
        """Requests by operation and status."""
        return dict(self._answered)

    @property
    def seconds(self) -> float:
        """Seconds that the timed requests took together."""
        return self._seconds

    @property
    def buckets(self) -> list[tuple[str, int]]:
        """For each bound, and for infinity, how many took at most so long."""
        bounds = (*map(str, BOUNDS_S), "+Inf")
        return list(zip(bounds, accumulate(self._timed), strict=True))

    def plus(self, others: Iterable[RequestCounts]) -> RequestCounts:
        """Return the sum."""
        total = RequestCounts()
        for one in (self, *others):
            total._answered.update(one.answered)
            total._timed = [sum(pair) for pair in zip(total._timed, one._timed, strict=True)]
            total._seconds += one._seconds
        return total

    def to_json(self) -> bytes:
        """Write the numbers."""
        answered = [[operation, status, n] for (operation, status), n in self.answered.items()]
        return orjson.dumps([answered, self._timed, self._seconds])

    @classmethod
    def from_json(cls, text: bytes) -> RequestCounts:
        """Read what `to_json` wrote."""
        counts, (answered, timed, seconds) = cls(), orjson.loads(text)
        counts._answered.update({(operation, status): n for operation, status, n in answered})
        counts._timed, counts._seconds = timed, seconds
        return counts


class SharedFolder:
    """Where the processes of one `serve` leave their counts; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"{new_id()}.json"
        self._putting = threading.Lock()

    def put(self, counts: RequestCounts) -> None:
        """Leave this process's counts, whole at any moment."""
        fresh = self._own.with_suffix(".new")
        with self._putting:
            fresh.write_bytes(counts.to_json())
            fresh.replace(self._own)

    def others(self) -> Iterator[RequestCounts]:
        """Read what other processes left, those that have ended among them."""
        for path in self._folder.glob("*.json"):
            if path != self._own:
                yield RequestCounts.from_json(path.read_bytes())
