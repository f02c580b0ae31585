"""What every benchmark is given: the kit, the pipelines, how long and how often to measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.peer import Pipelines
from benchmarks.setup import Kit

N_TREES = 100
N_OTHER_TREES = 60  # of the model that a swap brings in

_T = TypeVar("_T")


@dataclass(frozen=True)
class Bench:
    """
    The conditions of one run.

    Attributes:
        rounds: How often each measure is taken; None leaves it to the benchmark.
        quick: Short loads and small data, to see that everything works; the figures are not to be quoted.
        say: Takes a line about what is being done.
    """

    kit: Kit
    pipelines: Pipelines
    rounds: int | None
    quick: bool
    say: Callable[[str], None]

    def n_rounds(self, usual: int) -> int:
        """How many rounds to take where `usual` is the benchmark's own number."""
        return self.rounds or (1 if self.quick else usual)

    @property
    def tries(self) -> int:
        """How often one measurement may be repeated because it was disturbed."""
        return 1 if self.quick else 3

    @property
    def patience_s(self) -> float:
        """The longest wait for a calm moment."""
        return 0 if self.quick else 10


def interleaved(rounds: int, cases: Iterable[_T]) -> Iterator[tuple[int, _T]]:
    """Yield every case in every round, in reverse order every second round, so that drift meets all alike."""
    forth = list(cases)
    for number in range(rounds):
        for case in forth if number % 2 == 0 else forth[::-1]:
            yield number, case
