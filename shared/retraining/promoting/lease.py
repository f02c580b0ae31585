"""The right to use one model's endpoints: held by one worker at a time, renewed while it works."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from uuid import uuid4

from shared.adapters.models_table import ModelTable
from shared.domain.deciding.champion import ModelRecord
from shared.errors import Changed
from shared.retraining import Clock

_LENGTH = timedelta(minutes=10)  # longer than any single call to a service, its retries included
_FRESH = timedelta(minutes=1)  # since the last save, which nobody else could have got in before
_ATTEMPTS = 5

Change = Callable[[ModelRecord], ModelRecord]


class Lease:
    """
    One worker's lease on one model, with the model's record.

    Who holds the lease is alone in changing champion, anchor, holdout and staged run, so the record is read once. Every
    save is conditional on its ETag and renews the lease: it shows that nobody else has taken it.
    """

    def __init__(self, records: ModelTable, model: str, clock: Clock) -> None:
        self._records, self._model, self._clock = records, model, clock
        self._holder = uuid4().hex
        self._stored: ModelRecord | None = None
        self._unsaved: list[Change] = []

    @property
    def record(self) -> ModelRecord:
        """The model's record with every change that was made under this lease."""
        if self._stored is None:
            raise self._taken()
        return reduce(lambda record, change: change(record), self._unsaved, self._stored)

    def hold(self) -> None:
        """
        Take the lease, or renew it where the last save is a while ago.

        Raises:
            Changed: Another worker has it.
        """
        now = self._clock()
        if self._stored is None:
            self._stored = self._records.lease(self._model, self._holder, now, _LENGTH)
            if self._stored is None:
                raise self._taken()
        elif self._stored.lease_until is None or abs(self._stored.lease_until - _LENGTH - now) > _FRESH:
            self.save()

    def note(self, change: Change) -> None:
        """Change the record, to be saved with whatever is saved next."""
        self._unsaved.append(change)

    def save(self, change: Change | None = None) -> None:
        """
        Change the record, save it with what was noted before, and renew the lease.

        Raises:
            Changed: Another worker took the lease; `record` is then as that one left it.
        """
        if change:
            self.note(change)
        for _ in range(_ATTEMPTS):
            try:
                self._store()
                return
            except Changed:  # schedules and drift are noted on the same row, by workers without the lease
                self._read_again()
        self._unsaved.clear()
        raise self._taken()

    def release(self) -> None:
        """Give it back, if it is still held."""
        record = self.record if self._stored else None
        self._stored = None
        if record is not None and record.lease == self._holder:
            with suppress(Changed):
                self._records.save(replace(record, lease="", lease_until=None))
                return
        self._records.release(self._model, self._holder)  # whether it was taken is not known

    def _store(self) -> None:
        record = self.record
        if record.lease != self._holder:
            raise self._taken()
        self._stored = self._records.save(replace(record, lease_until=self._clock() + _LENGTH))
        self._unsaved.clear()

    def _read_again(self) -> None:
        known = {self._stored and self._stored.champion, self.record.champion}  # a save may have been done unheard
        self._stored = self._records.load(self._model)
        if self._stored.lease != self._holder or self._stored.champion not in known:
            self._unsaved.clear()
            raise self._taken()

    def _taken(self) -> Changed:
        return Changed(f"another run is using the endpoints of '{self._model}'")
