"""
The sweep: compares the container with the ledger, and takes up every file that no event brought to its end.

Events can be lost, late or delivered to a worker that dies; the container itself cannot lie.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared.adapters.blobs import BlobFacts, BlobStore
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import TRAINING_DATA
from shared.domain.dataset import Dataset, DatasetState, dataset_key
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.arrival import Arrival

_log = logging.getLogger(__name__)


class Sweeping:
    """Finds files that the ledger does not know, or knows but has not settled, and receives them."""

    def __init__(
        self,
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        arrival: Arrival,
        clock: Clock,
        *,
        patience: timedelta = timedelta(minutes=2),
        overdue: timedelta = timedelta(hours=1),
    ) -> None:
        """
        Args:
            patience: How long a file is left to its own event.
            overdue: From which age a file without a final state, or a run, is an alarm.
        """
        self._blobs, self._ledger, self._runs, self._arrival, self._clock = blobs, ledger, runs, arrival, clock
        self._patience, self._overdue = patience, overdue

    def sweep(self) -> list[str]:
        """Take up every stray file; return their names."""
        known = {dataset.key: dataset for dataset in self._ledger.files()}
        started = self._runs.ids()
        strays = [facts for facts in self._blobs.listing(TRAINING_DATA) if self._is_stray(facts, known, started)]
        for facts in strays:
            self._take_up(facts)
        return [facts.name for facts in strays]

    def _is_stray(self, facts: BlobFacts, known: dict[str, Dataset], started: set[str]) -> bool:
        dataset = known.get(dataset_key(facts.container, facts.name, facts.etag))
        if dataset is None:
            return self._is_older(facts.modified_at, self._patience)
        if not dataset.state.is_settled:
            return self._is_older(dataset.seen_at, self._patience)
        waits_for_run = dataset.state is DatasetState.ACCEPTED and bool(dataset.run_id)
        return waits_for_run and dataset.run_id not in started and self._is_older(dataset.seen_at, self._patience)

    def _take_up(self, facts: BlobFacts) -> None:
        late = self._is_older(facts.modified_at, self._overdue)
        event(
            _log,
            "dataset.taken_up",
            level=logging.ERROR if late else logging.WARNING,
            name=facts.name,
            modified_at=facts.modified_at.isoformat(),
            reason="no event brought it to a final state" + (", for longer than promised" if late else ""),
        )
        try:
            self._arrival.receive(self._blobs.blob(f"{facts.container}/{facts.name}"))
        except Exception:
            _log.exception("dataset.stuck %s", facts.name)  # one file's surprise must not hide the others

    def _is_older(self, at: datetime, age: timedelta) -> bool:
        return self._clock() - at > age
