"""Figures: samples with their noise, what is compared with what, and whether a goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class Samples:
    """
    One quantity in every round.

    Attributes:
        foreign: How many cores other programs took in each round; None where that is not known.
    """

    values: Sequence[float]
    foreign: Sequence[float | None] = ()

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def disturbance(self) -> float | None:
        """The most that other programs took in a round, in cores."""
        return max((f for f in self.foreign if f is not None), default=None)


class Better(Enum):
    """Which way a quantity is better."""

    LESS = "less"
    MORE = "more"


@dataclass(frozen=True)
class Goal:
    """How many times better than the peer we must be, and want to be."""

    at_least: float
    aim: float


@dataclass(frozen=True)
class Comparison:
    """
    One measure of ours beside a peer's.

    Attributes:
        unit: Of the samples.
        failures: Requests of ours that failed; any makes the goal missed.
        note: Shown beside the figures.
    """

    measure: str
    unit: str
    better: Better
    ours: Samples
    peer: Samples
    against: str
    goal: Goal | None = None
    failures: int = 0
    note: str = ""

    @property
    def advantage(self) -> float:
        """How many times better ours is, by medians; below 1 it is worse."""
        ours, peer = self.ours.median, self.peer.median
        better, worse = (peer, ours) if self.better is Better.LESS else (ours, peer)
        return better / worse if worse else float("inf")

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if self.goal is None:
            return None
        return not self.failures and self.advantage >= self.goal.at_least

    def to_json(self) -> dict[str, Any]:
        """Give all samples and what follows from them."""
        return {**asdict(self), "better": self.better.value, "advantage": self.advantage, "is_met": self.is_met}


@dataclass(frozen=True)
class Observation:
    """One measure of ours that has no peer."""

    measure: str
    unit: str
    ours: Samples
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give all samples."""
        return asdict(self)


Figure = Comparison | Observation
