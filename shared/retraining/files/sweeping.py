"""
The sweep: compares the container with the ledger, and takes up every file that no event brought to its end.

Events can be lost, late or delivered to a worker that dies; the container itself cannot lie. Only what was written
since the last sweep is compared, and once a day the whole: a blob that is undeleted comes back with its old date.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from shared.adapters.blobs import BlobFacts, BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.storage_layout import TRAINING_DATA
from shared.domain.data.dataset import UNDECLARED, Dataset, dataset_key
from shared.domain.data.waiting import Arriving
from shared.domain.lifecycle import schedule
from shared.domain.model import Model
from shared.errors import StateConflict
from shared.logs import event, surprise
from shared.retraining import Clock
from shared.retraining.files.arrival import Arrival
from shared.retraining.files.gathering import Gathering

_log = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=2)  # how long a file is left to its own event
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE_EVERY = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(minutes=5)  # at most, the app's from the storage's
_BYTES_A_SECOND = 2**20  # read at least; a file that is being read is left to its reader for so long


class Sweeping:
    """Finds files that the ledger does not know, or knows but has not settled, and receives them."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        arrival: Arrival,
        gathering: Gathering,
        clock: Clock,
    ) -> None:
        self._models, self._blobs, self._ledger, self._arrival = models, blobs, ledger, arrival
        self._gathering, self._clock = gathering, clock

    def sweep(self) -> list[str]:
        """Take up every stray file; return their names."""
        now = self._clock()
        until, whole_at = self._ledger.swept()
        is_whole = until is None or whole_at is None or now - whole_at >= _WHOLE_EVERY
        since = _BEGINNING if is_whole or until is None else until - _CLOCKS_DIFFER
        unknown = list(self._unknown(since, now, is_whole=is_whole))
        taken_up = [self._take_up(facts, facts.modified_at) for facts in unknown]
        taken_up += [
            name for dataset in list(self._ledger.unsettled(self._partitions())) if (name := self._finish(dataset, now))
        ]
        for model in self._models.values():
            self._watch_waiting(model, now)
        if all(map(self._is_entered, unknown)):
            self._ledger.save_swept(now - PATIENCE, now if is_whole or whole_at is None else whole_at)
        return taken_up

    def _partitions(self) -> list[str]:
        return [*self._models, UNDECLARED]

    def _is_entered(self, facts: BlobFacts) -> bool:
        """Whether a file that was taken up is in the ledger now, or gone."""
        return self._is_known(facts) or facts_of(self._blobs.blob(facts.path)) is None

    def _is_known(self, facts: BlobFacts) -> bool:
        return self._ledger.find(*self._place(facts)) is not None

    def _place(self, facts: BlobFacts) -> tuple[str, str]:
        """Return where in the ledger a file's row is, if there is one: model and key."""
        model = self._arrival.model_of(facts.name)
        return model.name if model else UNDECLARED, dataset_key(facts.container, facts.name, facts.etag)

    def _unknown(self, since: datetime, now: datetime, *, is_whole: bool) -> Iterator[BlobFacts]:
        """Yield the files written since then, and left alone for long enough, that the ledger does not know."""
        known = {name: self._ledger.keys(name) for name in self._partitions()} if is_whole else {}
        for facts in self._blobs.listing(TRAINING_DATA):
            patience = PATIENCE if "/" in facts.name else timedelta()  # no event tells of a file outside every folder
            if since <= facts.modified_at < now - patience:
                name, key = self._place(facts)
                if not (key in known[name] if is_whole else self._is_known(facts)):
                    yield facts

    def _finish(self, dataset: Dataset, now: datetime) -> str:
        """Bring a file to its end whose reader died, or that was left to grow; return its name if it was due."""
        if now - dataset.seen_at <= PATIENCE + timedelta(seconds=dataset.size / _BYTES_A_SECOND):
            return ""
        facts = facts_of(self._blobs.blob(dataset.path))
        if facts is None or facts.etag != dataset.etag:
            try:
                self._arrival.give_up(dataset, was_removed=facts is None)
            except StateConflict as lost:
                event(_log, "dataset.left_to_another", name=dataset.name, reason=str(lost))
            return dataset.name
        return self._take_up(facts, dataset.seen_at)

    def _take_up(self, facts: BlobFacts, since: datetime) -> str:
        model = self._arrival.model_of(facts.name)
        overdue = (model.arriving if model else Arriving()).overdue
        if self._clock() - since > overdue:
            self._alarm(facts.name, since, f"is in no final state and on no run after {overdue}")
        else:
            reason = "no event brought it to a final state"
            event(_log, "dataset.taken_up", level=logging.WARNING, name=facts.name, since=since, reason=reason)
        try:
            self._arrival.receive(self._blobs.blob(facts.path), by="sweep")
        except Exception:
            surprise(_log, "dataset.stuck", name=facts.name)  # one file's surprise must not hide the others
        return facts.name

    def _watch_waiting(self, model: Model, now: datetime) -> None:
        """Raise the alarm over files that have waited for longer than their schedule or window explains."""
        waiting = self._gathering.waiting(model)
        if not waiting:
            return
        first = waiting[0]
        entered = first.settled_at or first.seen_at
        due = entered + model.batching.max_wait if model.batching else entered
        due = schedule.next_after(model.schedule, entered) if model.schedule else due
        if now - due > model.arriving.overdue:
            more = f", and {len(waiting) - 1} more after it" if len(waiting) > 1 else ""
            self._alarm(first.name, entered, f"waits since, and its run was due at {due.isoformat()}{more}")

    def _alarm(self, name: str, since: datetime, reason: str) -> None:
        event(_log, "dataset.overdue", level=logging.ERROR, name=name, since=since, reason=reason)
