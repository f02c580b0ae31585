"""The right to use one model's endpoints: held by one worker at a time, renewed while it works."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import reduce
from uuid import uuid4

from shared.adapters.models_table import Change, ModelTable, as_it_is
from shared.domain.deciding.decision import Decision
from shared.domain.deciding.model_record import ModelRecord
from shared.errors import Changed
from shared.retraining import Clock

_LENGTH = timedelta(minutes=10)  # longer than any single call to a service, its retries included
_FRESH = timedelta(minutes=1)  # since the last save, which nobody else could have got in before
_ATTEMPTS = 5


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
        return self._changed(self._stored)

    def take(self, change: Change = as_it_is) -> None:
        """
        Take the lease, and change the record in the same save.

        Raises:
            Changed: Another worker has it.
        """
        self._stored = self._records.lease(self._model, self._holder, self._clock(), _LENGTH, change)
        if self._stored is None:
            raise self._taken()

    def hold(self) -> None:
        """
        Renew the lease where the last save is a while ago.

        Raises:
            Changed: Another worker has it.
        """
        until = self.record.lease_until
        if until is None or abs(until - _LENGTH - self._clock()) > _FRESH:
            self.save()

    def note(self, change: Change) -> None:
        """Change the record, to be saved with whatever is saved next."""
        self._unsaved.append(change)

    def note_decision(self, decision: Decision) -> None:
        """Note a decision as the newest; it is saved with the next save, when the lease is given back at the latest."""
        self.note(lambda record: record.noting(decision.head))

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
        stored, self._stored = self._stored, None
        if stored is not None and stored.lease == self._holder:
            with suppress(Changed):
                self._records.save(replace(self._changed(stored), lease="", lease_until=None))
                return
        self._records.release(self._model, self._holder, self._changed)  # whether it was taken is not known

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

    def _changed(self, record: ModelRecord) -> ModelRecord:
        return reduce(lambda changed, change: change(changed), self._unsaved, record)

    def _taken(self) -> Changed:
        return Changed(f"another run is using the endpoints of '{self._model}'")
