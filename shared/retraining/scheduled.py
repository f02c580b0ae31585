"""Scheduled retraining: when a model's time has come, one run over the files accepted since its last one."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import TRAINING_SETS
from shared.domain import schedule
from shared.domain.champion import ModelRecord
from shared.domain.contract import decoded_lines
from shared.domain.dataset import Dataset, DatasetState
from shared.domain.model import Model
from shared.domain.runs import Run
from shared.errors import DatasetChanged, ServiceUnavailable, StateConflict
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.advancing import Advancing
from shared.retraining.naming import new_run, run_id_of

_log = logging.getLogger(__name__)
_ROWS_AT_ONCE = 2000


class Scheduled:
    """Starts the runs that schedules ask for; a repeated or overlapping tick starts nothing twice."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        records: ModelTable,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._models, self._blobs, self._ledger, self._runs = models, blobs, ledger, runs
        self._records, self._advancing, self._clock = records, advancing, clock

    def retrain_due(self) -> None:
        """Look at every model that has a schedule."""
        for model in self._models.values():
            if not model.schedule:
                continue
            try:
                self._look(model)
            except (StateConflict, DatasetChanged) as moved:
                event(_log, "schedule.postponed", model=model.name, reason=str(moved))
            except ServiceUnavailable as later:
                event(_log, "run.delayed", level=logging.WARNING, model=model.name, reason=str(later))

    def _look(self, model: Model) -> None:
        record, now = self._records.load(model.name), self._clock()
        if record.last_scheduled_at is None:
            self._records.save(replace(record, last_scheduled_at=now))
        elif schedule.is_due(model.schedule, record.last_scheduled_at, now):
            self._retrain(model, record, record.last_scheduled_at, now)

    def _retrain(self, model: Model, record: ModelRecord, last: datetime, now: datetime) -> None:
        # Named after the last occurrence: a tick that died half-way finds its own run again.
        run_id = run_id_of(model.name, last, "scheduled")
        run = self._runs.find(model.name, run_id) or self._compose(model, run_id, now)
        if run is None:
            event(_log, "schedule.nothing_new", model=model.name, since=last.isoformat())
        else:
            self._assign(run)
        self._records.save(replace(record, last_scheduled_at=now))
        if run:
            self._advancing.advance(run)

    def _compose(self, model: Model, run_id: str, now: datetime) -> Run | None:
        """Write one training set from what waits, oldest first, and make the run that trains on it."""
        waiting = sorted(self._ledger.waiting(model.name), key=lambda dataset: (dataset.seen_at, dataset.name))
        datasets = [dataset for dataset in waiting if self._is_still_there(dataset)]
        if not datasets:
            return None
        path = f"{TRAINING_SETS}/{model.name}/{run_id}.csv"
        names = [column.name for column in model.contract.columns]
        etag = self._blobs.write(path, _joined(names, (self._stream(dataset) for dataset in datasets)))
        event(
            _log,
            "schedule.composed",
            model=model.name,
            run_id=run_id,
            files=[d.name for d in datasets],
            rows=sum(dataset.rows for dataset in datasets),
        )
        return self._runs.create(new_run(run_id, model.name, datasets, path, etag, now))

    def _is_still_there(self, dataset: Dataset) -> bool:
        facts = facts_of(self._blobs.blob(dataset.path))
        if facts and facts.etag == dataset.etag:
            return True
        reason = "the blob was replaced or removed before its run; its next version is a file of its own"
        self._ledger.save(replace(dataset, state=DatasetState.REPLACED, reason=reason, settled_at=self._clock()))
        return False

    def _stream(self, dataset: Dataset) -> Iterator[bytes]:
        blob = self._blobs.blob(dataset.path)
        facts = facts_of(blob)
        if facts is None or facts.etag != dataset.etag:
            raise DatasetChanged(dataset.path)
        return chunks_of(blob, facts)

    def _assign(self, run: Run) -> None:
        """Note in the ledger which run each file went into."""
        for key in run.dataset_keys:
            dataset = self._ledger.find(run.model, key)
            if dataset and not dataset.run_id:
                self._ledger.save(replace(dataset, run_id=run.id, reason=f"trains in the scheduled run '{run.id}'"))


def _joined(names: list[str], files: Iterable[Iterator[bytes]]) -> Iterator[bytes]:
    """Join files under one header, each file's columns brought into the contract's order."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    for chunks in files:
        rows = csv.reader(decoded_lines(chunks), strict=True)
        header = next(rows)
        order = [header.index(name) for name in names]
        for count, row in enumerate(filter(None, rows), start=1):
            writer.writerow([row[at] for at in order])
            if count % _ROWS_AT_ONCE == 0:
                yield _drained(buffer)
    yield _drained(buffer)


def _drained(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
