"""The table `datasets`: every file version seen, and for each model which content trained it first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.tables import Row, TableStore, instant, stored
from shared.domain.dataset import Dataset, DatasetState
from shared.errors import AlreadyExists, Changed

_FILE, _CONTENT = "file:", "content:"
_REASON_CHARACTERS = 4000  # a table's text holds 32,000; file names and column names are the sender's
_LISTED = 20


class Ledger:
    """Rows are partitioned by model; a file's row is keyed by version, a content claim by SHA-256."""

    def __init__(self, table: TableStore) -> None:
        self._table = table

    def enter(self, dataset: Dataset) -> Dataset:
        """Insert a file on first sight; a file seen before comes back as it stands."""
        try:
            return replace(dataset, version=self._table.insert(_to_row(dataset)))
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
        return replace(dataset, version=self._table.replace(_to_row(dataset), dataset.version))

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
        found = self._table.get(model, _FILE + key)
        return _from_row(*found) if found else None

    def waiting(self, model: str) -> Iterator[Dataset]:
        """Yield accepted files that no run includes yet."""
        condition = "PartitionKey eq @model and state eq @state and run_id eq ''"
        for row, version in self._table.query(condition, model=model, state=DatasetState.ACCEPTED.value):
            yield _from_row(row, version)

    def files(self, model: str | None = None) -> list[Dataset]:
        """Return the files of one model or of all, newest first."""
        condition = "RowKey ge @first and RowKey lt @after" + (" and PartitionKey eq @model" if model else "")
        values: dict[str, Any] = {"first": _FILE, "after": _FILE + "~"} | ({"model": model} if model else {})
        files = [_from_row(row, version) for row, version in self._table.query(condition, **values)]
        return sorted(files, key=lambda dataset: dataset.seen_at, reverse=True)


def _to_row(dataset: Dataset) -> Row:
    return {
        "PartitionKey": dataset.model,
        "RowKey": _FILE + dataset.key,
        "container": dataset.container,
        "name": dataset.name,
        "blob_etag": dataset.etag,
        "size": str(dataset.size),  # a table's integer has 32 bits
        "seen_at": stored(dataset.seen_at),
        "state": dataset.state.value,
        "rows": str(dataset.rows),
        "sha256": dataset.sha256,
        "reason": dataset.reason[:_REASON_CHARACTERS],
        "problems": json.dumps(dataset.problems[:_LISTED], ensure_ascii=False),
        "duplicate_of": dataset.duplicate_of,
        "run_id": dataset.run_id,
        "settled_at": stored(dataset.settled_at),
    }


def _from_row(row: Row, version: str) -> Dataset:
    return Dataset(
        key=row["RowKey"].removeprefix(_FILE),
        model=row["PartitionKey"],
        container=row["container"],
        name=row["name"],
        etag=row["blob_etag"],
        size=int(row["size"]),
        seen_at=datetime.fromisoformat(row["seen_at"]),
        state=DatasetState(row["state"]),
        rows=int(row["rows"]),
        sha256=row["sha256"],
        reason=row["reason"],
        problems=tuple(json.loads(row["problems"])),
        duplicate_of=row["duplicate_of"],
        run_id=row["run_id"],
        settled_at=instant(row["settled_at"]),
        version=version,
    )
