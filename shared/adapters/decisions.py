"""The table `decisions`: append-only, each row holding the hash of the one before it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.tables import Row, TableStore, stored
from shared.domain.deciding.decision import Decision, Head
from shared.errors import AlreadyExists, Changed
from shared.logs import event

_log = logging.getLogger(__name__)
_ATTEMPTS = 20
_HEAD = "head"  # partition of the notes
_END = "~"  # sorts after every number


class DecisionTable:
    """One chain of decisions for each model; a sequence number can be taken only once."""

    def __init__(self, table: TableStore, notes: TableStore) -> None:
        """
        Args:
            notes: Another table, where the newest link of each chain is noted, so that a cut at the end shows.
        """
        self._table, self._notes = table, notes

    def append(
        self, model: str, run_id: str, outcome: str, at: datetime, evidence: dict[str, Any], *, occasion: str = ""
    ) -> Decision:
        """
        Record a decision; the same outcome of the same run on the same occasion is recorded once.

        Args:
            outcome: What was decided.
            evidence: Plain JSON: on which values, under which rule, on which data.
            occasion: Tells apart an outcome that a run may come to more than once.
        """
        known = "PartitionKey eq @model and run_id eq @run and outcome eq @outcome and occasion eq @occasion"
        for _ in range(_ATTEMPTS):
            for row, _ in self._table.query(known, model=model, run=run_id, outcome=outcome, occasion=occasion):
                return _from_row(row)
            last = self._last(model)
            link = Decision(model, last.number + 1, run_id, outcome, at, evidence, last.hash, "")
            link = replace(link, hash=link.expected_hash())
            try:
                self._table.insert(_to_row(link, occasion))
            except AlreadyExists:
                continue  # another worker took this number
            event(
                _log,
                "decision.recorded",
                model=model,
                number=link.number,
                outcome=outcome,
                run_id=run_id,
                hash=link.hash,
            )
            self._note_head(link)
            return link
        raise AlreadyExists(f"decisions: no free number for '{model}' after {_ATTEMPTS} attempts")

    def chain(self, model: str) -> list[Decision]:
        """Return a model's decisions, oldest first."""
        rows = self._table.query("PartitionKey eq @model", model=model)
        return sorted((_from_row(row) for row, _ in rows), key=lambda link: link.number)

    def recent(self, since: datetime) -> list[Decision]:
        """Return the decisions of all models since an instant, newest first."""
        rows = self._table.query("at ge @since", since=stored(since))
        return sorted((_from_row(row) for row, _ in rows), key=lambda link: link.at, reverse=True)

    def head(self, model: str) -> Head | None:
        """Return the newest link as it was noted beside the chain."""
        found = self._notes.get(_HEAD, model)
        return Head(found[0]["number"], found[0]["hash"]) if found else None

    def models(self) -> list[str]:
        """Return every model that a decision was made of."""
        rows = self._table.query("", only=("PartitionKey",))
        return sorted({str(row["PartitionKey"]) for row, _ in rows})

    def _last(self, model: str) -> Head:
        """Return the newest link: the noted one, or one that a worker appended and died before noting."""
        noted = self.head(model) or Head(-1, "")
        newest = noted
        for row in self._after(model, noted.number):
            newest = max(newest, Head(int(row["RowKey"]), row["hash"]), key=lambda head: head.number)
        return newest

    def _after(self, model: str, number: int) -> Iterator[Row]:
        condition = "PartitionKey eq @model and RowKey ge @first and RowKey lt @end"
        found = self._table.query(condition, model=model, first=_key(number + 1), end=_END, only=("RowKey", "hash"))
        return (row for row, _ in found)

    def _note_head(self, link: Decision) -> None:
        row = {"PartitionKey": _HEAD, "RowKey": link.model, "number": link.number, "hash": link.hash}
        found = self._notes.get(_HEAD, link.model)
        try:
            if found is None:
                self._notes.insert(row)
            elif found[0]["number"] < link.number:
                self._notes.replace(row, found[1])
        except (AlreadyExists, Changed):
            return  # another worker noted a newer one, or the next decision will


def _key(number: int) -> str:
    return f"{number:010d}"


def _to_row(link: Decision, occasion: str) -> Row:
    return {
        "PartitionKey": link.model,
        "RowKey": _key(link.number),
        "run_id": link.run_id,
        "outcome": link.outcome,
        "occasion": occasion,
        "at": stored(link.at),
        "evidence": json.dumps(link.evidence, ensure_ascii=False),
        "previous": link.previous,
        "hash": link.hash,
    }


def _from_row(row: Row) -> Decision:
    return Decision(
        model=row["PartitionKey"],
        number=int(row["RowKey"]),
        run_id=row["run_id"],
        outcome=row["outcome"],
        at=datetime.fromisoformat(row["at"]),
        evidence=json.loads(row["evidence"]),
        previous=row["previous"],
        hash=row["hash"],
    )
