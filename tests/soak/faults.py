"""Which faults there are, how often each is drawn, and how many were injected."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

STATUSES = (408, 429, 500, 503, 504)
BEFORE = ("refused connection", "reset before the request", *(f"status {status}" for status in STATUSES))
AFTER = (
    "reset after the request", "timeout", "slow body", "truncated body", "status 500 after the request",
)  # fmt: skip
CONFLICT = "ETag conflict"


@dataclass
class Faults:
    """
    Draws a fault for some requests, all kinds alike.

    Attributes:
        share: Of the requests that meet one.
        injected: How many of each kind there were.
    """

    share: float
    seed: int
    injected: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self, *, is_conditional: bool) -> str:
        """Return the fault that the next request meets; mostly none."""
        self.requests += 1
        if self._random.random() >= self.share:
            return ""
        kinds = (*BEFORE, *AFTER, *((CONFLICT,) * 2 if is_conditional else ()))
        kind = self._random.choice(kinds)
        self.injected[kind] += 1
        return kind
