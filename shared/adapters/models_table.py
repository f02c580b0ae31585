"""The table `models`: champion, anchor, holdout uses, lease, last schedule and newest decision of each model."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from shared.adapters.tables import Row, TableStore, instant, stored
from shared.domain.deciding.champion import Champion
from shared.domain.deciding.decision import Head
from shared.domain.deciding.model_record import ModelRecord
from shared.errors import AlreadyExists, Changed

_PARTITION = "model"
_ATTEMPTS = 5


Change = Callable[[ModelRecord], ModelRecord]


def as_it_is(record: ModelRecord) -> ModelRecord:
    """Change nothing."""
    return record


class ModelTable:
    """Stores model records; every save is conditional on the version that was read."""

    def __init__(self, table: TableStore) -> None:
        self._table = table

    def find(self, name: str) -> ModelRecord | None:
        """Return a model's record; None before its first use."""
        found = self._table.get(_PARTITION, name)
        return _from_row(*found) if found else None

    def load(self, name: str) -> ModelRecord:
        """Return a model's record, made on first use."""
        if known := self.find(name):
            return known
        record = ModelRecord(name)
        try:
            return replace(record, version=self._table.insert(_to_row(record)))
        except AlreadyExists:
            return self.load(name)

    def all(self) -> dict[str, ModelRecord]:
        """Return the records that there are, by name."""
        rows = self._table.query("PartitionKey eq @partition", partition=_PARTITION)
        return {record.name: record for record in (_from_row(*found) for found in rows)}

    def save(self, record: ModelRecord) -> ModelRecord:
        """
        Save a record.

        Raises:
            Changed: Another worker saved first.
        """
        return replace(record, version=self._table.replace(_to_row(record), record.version))

    def change(self, name: str, change: Change) -> ModelRecord:
        """
        Change a record as it is now, whoever else changes it meanwhile.

        Raises:
            Changed: Others were faster, every time.
        """
        for _ in range(_ATTEMPTS):
            record = self.load(name)
            changed = change(record)
            with suppress(Changed):
                return record if changed == record else self.save(changed)
        raise Changed(f"the record of '{name}' was changed by others {_ATTEMPTS} times in a row")

    def lease(
        self, name: str, holder: str, now: datetime, length: timedelta, change: Change = as_it_is
    ) -> ModelRecord | None:
        """Take the right to use a model's endpoints, and change its record with it; None when somebody else has it."""
        record = self.load(name)
        if record.lease not in ("", holder) and record.lease_until and record.lease_until > now:
            return None
        try:
            return self.save(replace(change(record), lease=holder, lease_until=now + length))
        except Changed:
            return None

    def release(self, name: str, holder: str, change: Change = as_it_is) -> None:
        """Change a record and give the right back; where somebody else took it over, both are left alone."""

        def released(record: ModelRecord) -> ModelRecord:
            return replace(change(record), lease="", lease_until=None) if record.lease == holder else record

        with suppress(Changed):
            self.change(name, released)


def _to_row(record: ModelRecord) -> Row:
    return {
        "PartitionKey": _PARTITION,
        "RowKey": record.name,
        "champion": _from_champion(record.champion),
        "anchor": _from_champion(record.anchor),
        "anchor_evidence": record.anchor_evidence,
        "holdout": record.holdout,
        "holdout_uses": record.holdout_uses,
        "holdout_run": record.holdout_run,
        "holdout_before": record.holdout_before,
        "holdout_since": record.holdout_since,
        "past_uses": json.dumps(record.past_uses),
        "staged_run": record.staged_run,
        "lease": record.lease,
        "lease_run": record.lease_run,
        "lease_until": stored(record.lease_until),
        "drifted_at": stored(record.drifted_at),
        "last_scheduled_at": stored(record.last_scheduled_at),
        "head": json.dumps(asdict(record.head)) if record.head else "",
    }


def _from_row(row: Row, version: str) -> ModelRecord:
    return ModelRecord(
        name=row["RowKey"],
        champion=_to_champion(row["champion"]),
        anchor=_to_champion(row["anchor"]),
        anchor_evidence=row.get("anchor_evidence") or "",  # rows of earlier versions have none
        holdout=row["holdout"],
        holdout_uses=row["holdout_uses"],
        holdout_run=row["holdout_run"],
        holdout_before=row["holdout_before"],
        holdout_since=row.get("holdout_since") or "",
        past_uses=json.loads(row.get("past_uses") or "{}"),
        staged_run=row["staged_run"],
        lease=row["lease"],
        lease_run=row.get("lease_run") or "",  # rows of earlier versions have none
        lease_until=instant(row["lease_until"]),
        drifted_at=instant(row["drifted_at"]),
        last_scheduled_at=instant(row["last_scheduled_at"]),
        head=Head(**json.loads(row["head"])) if row.get("head") else None,
        version=version,
    )


def _from_champion(champion: Champion | None) -> str:
    if champion is None:
        return ""
    instants = {"since": stored(champion.since), "trained_at": stored(champion.trained_at)}
    instants["until"] = stored(champion.until)
    return json.dumps(asdict(champion) | instants)


def _to_champion(text: str) -> Champion | None:
    if not text:
        return None
    kept = json.loads(text)
    instants = {"since": datetime.fromisoformat(kept["since"]), "trained_at": instant(kept["trained_at"])}
    return Champion(**(kept | instants | {"until": instant(kept.get("until"))}))
