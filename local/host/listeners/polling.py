"""How long to wait between two looks at something that is usually empty."""

from __future__ import annotations

import random


class Backoff:
    """
    Random exponential pauses between a shortest and a longest one; success starts over.

    Args:
        shortest_s: First pause.
        longest_s: Upper bound.
        draw: Random number in [0, 1).
    """

    def __init__(self, shortest_s: float, longest_s: float, *, draw: random.Random | None = None) -> None:
        self._shortest_s = shortest_s
        self._longest_s = longest_s
        self._random = draw or random.Random()
        self._failures = 0

    def pause_s(self, *, found: bool) -> float:
        """Return the pause after a look that found something, or nothing."""
        self._failures = 0 if found else min(self._failures + 1, 32)
        if found:
            return self._shortest_s
        grown = self._shortest_s * 2.0 ** (self._failures - 1) * self._random.uniform(0.8, 1.2)
        return min(self._longest_s, max(self._shortest_s, grown))
