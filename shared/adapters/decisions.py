"""The table `decisions`: append-only, each row holding the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from shared.adapters.tables import TableStore, stored
from shared.errors import AlreadyExists

_ATTEMPTS = 20


class DecisionTable:
    """One chain of decisions for each model; a sequence number can be taken only once."""

    def __init__(self, table: TableStore) -> None:
        self._table = table

    def append(self, model: str, run_id: str, outcome: str, at: datetime, evidence: dict[str, Any]) -> str:
        """
        Record a decision and return its number; the same outcome of the same run is recorded once.

        Args:
            outcome: What was decided.
            evidence: Plain JSON: on which values, under which rule, on which data.
        """
        for _ in range(_ATTEMPTS):
            chain = self.chain(model)
            for link in chain:
                if link["run_id"] == run_id and link["outcome"] == outcome:
                    return str(link["RowKey"])
            content = {"run_id": run_id, "outcome": outcome, "at": stored(at), "evidence": evidence}
            previous = chain[-1]["hash"] if chain else ""
            row = {
                "PartitionKey": model,
                "RowKey": f"{len(chain):010d}",
                **content,
                "evidence": json.dumps(evidence, ensure_ascii=False),
                "previous": previous,
                "hash": link_hash(previous, content),
            }
            try:
                self._table.insert(row)
            except AlreadyExists:
                continue  # another worker took this number
            return str(row["RowKey"])
        raise AlreadyExists(f"decisions: no free number for '{model}' after {_ATTEMPTS} attempts")

    def chain(self, model: str) -> list[dict[str, Any]]:
        """Return a model's decisions, oldest first."""
        rows = [row for row, _ in self._table.query("PartitionKey eq @model", model=model)]
        rows.sort(key=lambda row: str(row["RowKey"]))
        return [row | {"evidence": json.loads(row["evidence"])} for row in rows]


def link_hash(previous: str, content: dict[str, Any]) -> str:
    """Return the hash that ties a decision to the one before it."""
    text = previous + json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
