"""How a file of the ledger is stored as a row of the table `datasets`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from shared.adapters.tables import Row, instant, stored
from shared.domain.data.dataset import Ask, Dataset, DatasetState

FILE = "file:"
_REASON_CHARACTERS = 4000  # a table's text holds 32,000; file names and column names are the sender's
_LISTED = 20


def to_row(dataset: Dataset) -> Row:
    """Return a file's row."""
    return {
        "PartitionKey": dataset.model,
        "RowKey": FILE + dataset.key,
        "container": dataset.container,
        "name": dataset.name,
        "blob_etag": dataset.etag,
        "size": str(dataset.size),  # a table's integer has 32 bits
        "seen_at": stored(dataset.seen_at),
        "seen_by": dataset.seen_by,
        "state": dataset.state.value,
        "is_open": dataset.is_open,
        "rows": str(dataset.rows),
        "good": str(dataset.good),
        "bad": str(dataset.bad),
        "overlap": str(dataset.overlap),
        "holdout": dataset.holdout,
        "stripped": str(dataset.stripped),
        "contract": dataset.contract,
        "sha256": dataset.sha256,
        "reason": dataset.reason[:_REASON_CHARACTERS],
        "problems": json.dumps(dataset.problems[:_LISTED], ensure_ascii=False),
        "duplicate_of": dataset.duplicate_of,
        "run_id": dataset.run_id,
        "settled_at": stored(dataset.settled_at),
        "asks": json.dumps([asdict(ask) for ask in dataset.asks[-_LISTED:]], default=stored, ensure_ascii=False),
    }


def from_row(row: Row, version: str) -> Dataset:
    """Read a file's row, which has this ETag."""
    return Dataset(
        key=row["RowKey"].removeprefix(FILE),
        model=row["PartitionKey"],
        container=row["container"],
        name=row["name"],
        etag=row["blob_etag"],
        size=int(row["size"]),
        seen_at=datetime.fromisoformat(row["seen_at"]),
        seen_by=row["seen_by"],
        state=DatasetState(row["state"]),
        rows=int(row["rows"]),
        good=int(row["good"]),
        bad=int(row["bad"]),
        overlap=int(row["overlap"]),
        holdout=row.get("holdout") or "",  # not in rows of earlier versions
        stripped=int(row["stripped"]),
        contract=row["contract"],
        sha256=row["sha256"],
        reason=row["reason"],
        problems=tuple(json.loads(row["problems"])),
        duplicate_of=row["duplicate_of"],
        run_id=row["run_id"],
        settled_at=instant(row["settled_at"]),
        asks=tuple(Ask(**ask | {"at": datetime.fromisoformat(ask["at"])}) for ask in json.loads(row["asks"])),
        was_open=row["is_open"],
        version=version,
    )
