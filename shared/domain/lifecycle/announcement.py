"""
What is still to be said of a run: its report written, its state told to who asked to know.

Kept in the run's own row, so that it is due from the same instant as the state itself, and no crash loses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

ATTEMPTS = 10
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Announcement:
    """
    How far the news of a run has got.

    Attributes:
        stages: How many stages the run had when all was said; the stages after that are news.
        trying: How many stages it had at the last try; what follows counts for these alone.
        done: What was done, by name.
        attempts: How often it was tried.
        not_before: When it may be tried again.
        problem: Why the last try did not do everything.
    """

    stages: int = 0
    trying: int = 0
    done: tuple[str, ...] = ()
    attempts: int = 0
    not_before: datetime | None = None
    problem: str = ""

    def is_due(self, stages: int, now: datetime) -> bool:
        """Whether it is time for a try of a run with so many stages."""
        return self.trying != stages or self.not_before is None or self.not_before <= now

    def tried(self, stages: int, now: datetime) -> Announcement:
        """Return it as it is to be saved before a try: nobody else tries meanwhile, and a crash costs one attempt."""
        last = self if self.trying == stages else Announcement(stages=self.stages, trying=stages)
        pause = min(_FIRST_PAUSE * 2**last.attempts, _LONGEST_PAUSE)
        return replace(last, attempts=last.attempts + 1, not_before=now + pause)

    def after(self, done: tuple[str, ...], problem: str) -> Announcement:
        """
        Return it as it stands after a try.

        Args:
            done: Everything that was done, in this try and before.
            problem: Empty when nothing is left to do.
        """
        if problem and self.attempts < ATTEMPTS:
            return replace(self, done=done, problem=problem)
        return Announcement(stages=self.trying, problem=problem)
