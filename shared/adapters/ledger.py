"""
The table `datasets`: every file version seen, and for each model which content trained it first.

A file's row comes with index rows, changed in the same transaction: one whose key sorts the newest first, and, while
the file is unread or waits, one that makes it found without looking at all the others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from shared.adapters.ledger_rows import FILE, from_row, to_row
from shared.adapters.tables import Row, TableStore, instant, stored
from shared.domain.data.dataset import Dataset, DatasetState
from shared.errors import AlreadyExists, Changed, StateConflict

_CONTENT, _TIME, _OPEN = "content:", "time:", "open:"
_GATHER = "gather"
_OF_FILES = "RowKey ge @first and RowKey lt @last"  # leaves out their index rows and the claims
_SWEEP = ("(sweep)", "since")
_LAST_MS = 253_402_300_799_999  # the end of the year 9999


class Ledger:
    """Rows are partitioned by model; a file's row is keyed by version, a content claim by SHA-256."""

    def __init__(self, table: TableStore, watch: Callable[[Dataset], None] = lambda dataset: None) -> None:
        """
        Args:
            watch: Told of every file whose fate is decided.
        """
        self._table, self._watch = table, watch

    def enter(self, dataset: Dataset) -> Dataset:
        """Insert a file on first sight; a file seen before comes back as it stands."""
        try:
            version = self._table.insert_together([to_row(dataset), _time(dataset), _open(dataset)])
            return replace(dataset, version=version, was_open=True)
        except AlreadyExists:
            known = self.find(dataset.model, dataset.key)
            if known is None:
                raise
            return known

    def save(self, dataset: Dataset) -> Dataset:
        """
        Save what became of a file.

        Raises:
            Changed: Another worker saved first.
        """
        row = to_row(dataset)
        if dataset.is_open == dataset.was_open:
            version = self._table.replace(row, dataset.version)
        else:
            index = ("upsert" if dataset.is_open else "delete", _open(dataset))
            version = self._table.replace_with(row, dataset.version, index)
        if dataset.was_open and not dataset.is_open:
            self._watch(dataset)
        return replace(dataset, version=version, was_open=dataset.is_open)

    def claim_content(self, dataset: Dataset) -> str:
        """
        Claim these bytes for this file and model; return the key of the file that holds the claim.

        The answer is the file's own key when it came first, also when it asks again.
        """
        key = _CONTENT + dataset.sha256
        try:
            self._table.insert({"PartitionKey": dataset.model, "RowKey": key, "owner": dataset.key})
        except AlreadyExists:
            claim = self._table.get(dataset.model, key)
            if claim is None:
                raise Changed(f"the claim on {dataset.sha256[:12]} vanished") from None
            return str(claim[0]["owner"])
        return dataset.key

    def take_over(self, dataset: Dataset, owner: str) -> None:
        """
        Move a claim from a file whose run came to nothing.

        Raises:
            Changed: Another file took it over first.
        """
        claim = self._table.get(dataset.model, _CONTENT + dataset.sha256)
        if claim is None or claim[0]["owner"] != owner:
            raise Changed(f"the claim on {dataset.sha256[:12]} is somebody else's")
        self._table.replace(claim[0] | {"owner": dataset.key}, claim[1])

    def find(self, model: str, key: str) -> Dataset | None:
        """Return one file's row."""
        found = self._table.get(model, FILE + key)
        return from_row(*found) if found else None

    def waiting(self, model: str) -> Iterator[Dataset]:
        """Yield accepted files that no run includes yet."""
        return (dataset for dataset in self._opened(model) if dataset.waits)

    def quarantined(self, since: datetime) -> list[Dataset]:
        """Return the files of all models that came since an instant and are in quarantine, newest first."""
        condition, state = f"{_OF_FILES} and state eq @state and seen_at ge @since", DatasetState.QUARANTINED.value
        rows = self._table.query(condition, first=FILE, last=FILE + "~", state=state, since=stored(since))
        return sorted((from_row(*found) for found in rows), key=lambda dataset: dataset.seen_at, reverse=True)

    def unsettled(self, models: Iterable[str]) -> Iterator[Dataset]:
        """Yield the files of some models that are not read to their end."""
        for model in models:
            yield from (dataset for dataset in self._opened(model) if not dataset.state.is_settled)

    def named(self, model: str, name: str) -> list[Dataset]:
        """Return every version of one file, newest first."""
        condition = f"PartitionKey eq @model and {_OF_FILES} and name eq @name"
        rows = self._table.query(condition, model=model, first=FILE, last=FILE + "~", name=name)
        return sorted((from_row(*found) for found in rows), key=lambda dataset: dataset.seen_at, reverse=True)

    def page(self, models: Iterable[str], limit: int, after: str = "") -> tuple[list[Dataset], str]:
        """
        Return some models' files, newest first, at most `limit`, and where the next page starts.

        Args:
            models: Partitions to look into.
            limit: The most files to return.
            after: Where the last page ended; empty for the first.
        """
        found = heapq.merge(*(self._index(model, limit + 1, after) for model in models))
        some = list(islice(found, limit + 1))
        files = (self.find(model, place.rpartition(":")[2]) for place, model in some[:limit])
        return [dataset for dataset in files if dataset], some[limit - 1][0] if len(some) > limit else ""

    def keys(self, model: str) -> set[str]:
        """Return the keys of all files of one model."""
        condition = f"PartitionKey eq @model and {_OF_FILES}"
        rows = self._table.query(condition, only=("RowKey",), model=model, first=FILE, last=FILE + "~")
        return {str(row["RowKey"]).removeprefix(FILE) for row, _ in rows}

    def swept(self) -> tuple[datetime | None, datetime | None]:
        """Return until when the container was compared with the ledger, and when the whole of it last was."""
        found = self._table.get(*_SWEEP)
        return (instant(found[0]["until"]), instant(found[0]["whole_at"])) if found else (None, None)

    def save_swept(self, until: datetime, whole_at: datetime) -> None:
        """Note until when everything in the container is in the ledger."""
        partition, key = _SWEEP
        row = {"PartitionKey": partition, "RowKey": key, "until": stored(until), "whole_at": stored(whole_at)}
        self._table.put(row)

    def hold(self, model: str, holder: str, now: datetime, length: timedelta) -> bool:
        """Take or renew the right to gather a model's waiting files; False when somebody else has it."""
        row = {"PartitionKey": model, "RowKey": _GATHER, "holder": holder, "until": stored(now + length)}
        known = self._table.get(model, _GATHER)
        if known and known[0]["holder"] != holder and (known[0]["until"] or "") > stored(now):
            return False
        try:
            if known:
                self._table.replace(row, known[1])
            else:
                self._table.insert(row)
        except StateConflict:
            return False
        return True

    def let_go(self, model: str, holder: str) -> None:
        """Give that right back, if it is still held."""
        known = self._table.get(model, _GATHER)
        if known and known[0]["holder"] == holder:
            with suppress(Changed):
                self._table.replace(known[0] | {"until": ""}, known[1])

    def _opened(self, model: str) -> Iterator[Dataset]:
        condition = "PartitionKey eq @model and RowKey ge @first and RowKey lt @last"
        rows = self._table.query(condition, only=("RowKey",), model=model, first=_OPEN, last=_OPEN + "~")
        keys = [str(row["RowKey"]).removeprefix(_OPEN) for row, _ in rows]
        return (dataset for key in keys if (dataset := self.find(model, key)))

    def _index(self, model: str, limit: int, after: str) -> Iterator[tuple[str, str]]:
        condition = "PartitionKey eq @model and RowKey gt @after and RowKey lt @last"
        values = {"model": model, "after": _TIME + after, "last": _TIME + "~"}
        for row, _ in self._table.query(condition, only=("RowKey",), at_once=min(limit, 1000), **values):
            yield str(row["RowKey"]).removeprefix(_TIME), model


def _time(dataset: Dataset) -> Row:
    place = f"{_LAST_MS - int(dataset.seen_at.timestamp() * 1000):015}:{dataset.key}"
    return {"PartitionKey": dataset.model, "RowKey": _TIME + place}


def _open(dataset: Dataset) -> Row:
    return {"PartitionKey": dataset.model, "RowKey": _OPEN + dataset.key}
