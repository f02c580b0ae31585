"""What every benchmark is given: the kit, the pipelines, how long and how often to measure."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.peer import Pipelines
from benchmarks.setup import Kit

N_TREES = 100
N_OTHER_TREES = 60  # of the model that a swap brings in

_PATIENT_FOR_S = (
    12 * 60.0
)  # a run on a machine that is never calm ends too: after this, nothing is waited for or repeated

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
    began: float = field(default_factory=time.monotonic)

    def n_rounds(self, usual: int) -> int:
        """How many rounds to take where `usual` is the benchmark's own number."""
        return self.rounds or (1 if self.quick else usual)

    @property
    def tries(self) -> int:
        """How often one measurement may be repeated because it was disturbed."""
        return 3 if self._is_patient else 1

    @property
    def patience_s(self) -> float:
        """The longest wait for a calm moment."""
        return 10 if self._is_patient else 0

    @property
    def _is_patient(self) -> bool:
        return not self.quick and time.monotonic() < self.began + _PATIENT_FOR_S


def interleaved(rounds: int, cases: Iterable[_T]) -> Iterator[tuple[int, _T]]:
    """Yield every case in every round, in reverse order every second round, so that drift meets all alike."""
    forth = list(cases)
    for number in range(rounds):
        for case in forth if number % 2 == 0 else forth[::-1]:
            yield number, case
