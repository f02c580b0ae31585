"""One run over all files of a model that wait, whatever ended the wait: a schedule, a window, a marker, a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from uuid import uuid4

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.domain.data.dataset import Ask, Dataset, DatasetState
from shared.domain.data.waiting import closed_because
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import Changed
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.quarantining import Quarantine
from shared.retraining.files.training_sets import NoLongerAccepted, TrainingSets
from shared.retraining.training.naming import new_run, run_id_of

_log = logging.getLogger(__name__)
_FILES_AT_ONCE, _NAMES_AT_ONCE = 500, 25_000  # files, and characters of their names: a run's row names all its files
_HELD = timedelta(minutes=3)  # renewed by whoever is at work; where its worker died, another takes over then
_RENEWED = timedelta(minutes=1)


class Gathering:
    """
    Makes the run; repeated or at once in two workers, it includes each file once.

    One worker at a time gathers a model's files. A run is named after the file that has waited longest, and that file
    is the last to leave the wait: whoever died half-way finds the same run again.
    """

    def __init__(
        self,
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        training_sets: TrainingSets,
        quarantine: Quarantine,
        clock: Clock,
    ) -> None:
        self._blobs, self._ledger, self._runs = blobs, ledger, runs
        self._training_sets, self._quarantine, self._clock = training_sets, quarantine, clock

    def waiting(self, model: Model) -> list[Dataset]:
        """Return what waits, the longest first."""
        return sorted(self._ledger.waiting(model.name), key=lambda dataset: (dataset.seen_at, dataset.name))

    def close_window(self, model: Model) -> Run | None:
        """Make the run of a model whose window is closed; None while it is open, or where there is none."""
        why = closed_because(model.batching, self.waiting(model), self._clock()) if model.batching else ""
        return self.gather(model, why) if why else None

    def gather(self, model: Model, why: str, ask: Ask | None = None) -> Run | None:
        """
        Make the run over what waits, or finish making it; None when nothing waits.

        Args:
            model: Whose files.
            why: What ended the wait.
            ask: The person's request, if it was one.

        Raises:
            Changed: Another worker gathers this model's files.
            DatasetChanged: A file was replaced meanwhile; the next attempt leaves it out.
        """
        if not self.waiting(model):
            return None
        with _Hold(self._ledger, model.name, self._clock) as hold:
            return self._gather(model, why, ask, hold)

    def _gather(self, model: Model, why: str, ask: Ask | None, hold: _Hold) -> Run | None:
        waiting = _as_many_as_fit(self.waiting(model))
        if not waiting:
            return None
        run_id = run_id_of(model.name, waiting[0].seen_at, waiting[0].key)
        run = self._runs.find(model.name, run_id) or self._make(model, run_id, waiting, why, ask, hold)
        if run is not None:
            self._assign(run, why, ask, hold)
        return run

    def _make(
        self, model: Model, run_id: str, waiting: Sequence[Dataset], why: str, ask: Ask | None, hold: _Hold
    ) -> Run | None:
        datasets = [dataset for dataset in waiting if self._is_still_there(dataset)]
        while datasets:
            try:
                made = self._training_sets.make(model, run_id, datasets, hold.keep)
            except NoLongerAccepted as refused:
                self._quarantine.refuse(refused.dataset, refused.findings)
                datasets.remove(refused.dataset)
                continue
            hold.keep()
            run = new_run(run_id, model.name, datasets, made.path, made.etag, self._clock())
            stored = self._runs.create(replace(run, requested_by=ask.by, request_reason=ask.reason) if ask else run)
            if stored.training_blob != made.path:
                self._training_sets.discard(made)
            names, rows = [dataset.name for dataset in datasets], sum(dataset.good for dataset in datasets)
            event(_log, "run.gathered", model=model.name, run_id=run_id, files=names, rows=rows, why=why)
            return stored
        return None

    def _is_still_there(self, dataset: Dataset) -> bool:
        facts = facts_of(self._blobs.blob(dataset.path))
        if facts and facts.etag == dataset.etag:
            return True
        reason = "was replaced or removed before its run; a next version is a file of its own"
        self._ledger.save(replace(dataset, state=DatasetState.REPLACED, reason=reason, settled_at=self._clock()))
        return False

    def _assign(self, run: Run, why: str, ask: Ask | None, hold: _Hold) -> None:
        """Note in the ledger which run each file went into, the longest waiting last."""
        for key in reversed(run.dataset_keys):
            hold.keep()
            dataset = self._ledger.find(run.model, key)
            if dataset and dataset.waits:
                asks = (*dataset.asks, replace(ask, run_id=run.id)) if ask else dataset.asks
                reason = f"trains in run '{run.id}', because {why}"
                self._ledger.save(replace(dataset, run_id=run.id, reason=reason, asks=asks))


class _Hold:
    """The right to gather one model's files, renewed while there is work; a worker that died loses it soon."""

    def __init__(self, ledger: Ledger, model: str, clock: Clock) -> None:
        self._ledger, self._model, self._clock = ledger, model, clock
        self._holder, self._renewed_at = uuid4().hex, clock()

    def __enter__(self) -> _Hold:
        self._take()
        return self

    def __exit__(self, *failed: object) -> None:
        self._ledger.let_go(self._model, self._holder)

    def keep(self) -> None:
        """
        Renew the right, where the last time is a while ago.

        Raises:
            Changed: Another worker has taken over.
        """
        if self._clock() - self._renewed_at > _RENEWED:
            self._take()

    def _take(self) -> None:
        self._renewed_at = self._clock()
        if not self._ledger.hold(self._model, self._holder, self._renewed_at, _HELD):
            raise Changed(f"the files of '{self._model}' are being gathered")


def _as_many_as_fit(waiting: Sequence[Dataset]) -> list[Dataset]:
    lengths = accumulate(len(json.dumps(dataset.name, ensure_ascii=False)) + 2 for dataset in waiting)
    fitting = sum(1 for length in lengths if length <= _NAMES_AT_ONCE)
    return list(waiting[: min(max(fitting, 1), _FILES_AT_ONCE)])
