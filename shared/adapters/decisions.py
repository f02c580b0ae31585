"""The table `decisions`: append-only, each row holding the hash of the one before it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.models_table import ModelTable
from shared.adapters.tables import Row, TableStore, stored
from shared.domain.deciding.decision import Decision, Head
from shared.errors import AlreadyExists
from shared.logs import event

_log = logging.getLogger(__name__)
_ATTEMPTS = 20
_NOTHING = Head(-1, "")


class DecisionTable:
    """One chain of decisions for each model; a sequence number can be taken only once."""

    def __init__(self, table: TableStore, records: ModelTable) -> None:
        """
        Args:
            records: In each model's record the newest link of its chain is noted, so that a cut at the end shows.
        """
        self._table, self._records = table, records

    def record(
        self, model: str, run_id: str, outcome: str, at: datetime, evidence: dict[str, Any], *, occasion: str = ""
    ) -> Decision:
        """Append a decision as `append` does, and note it in the model's record."""
        link = self.append(model, run_id, outcome, at, evidence, occasion=occasion, noted=self.head(model))
        self._records.change(model, lambda record: record.noting(link.head))
        return link

    def append(
        self,
        model: str,
        run_id: str,
        outcome: str,
        at: datetime,
        evidence: dict[str, Any],
        *,
        occasion: str = "",
        noted: Head | None,
    ) -> Decision:
        """
        Append a decision; the same outcome of the same run on the same occasion is there once.

        Args:
            model: Whose chain.
            run_id: The run that was decided on.
            outcome: What was decided.
            at: When.
            evidence: Plain JSON: on which values, under which rule, on which data.
            occasion: Tells apart an outcome that a run may come to more than once.
            noted: The newest link as the model's record has it; whoever keeps that record notes the new one there.
        """
        same = (run_id, outcome, occasion)
        for _ in range(_ATTEMPTS):
            last, known = self._known_or_last(model, noted or _NOTHING, same)
            if known:
                return known
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
        """Return the newest link as it was noted outside the chain."""
        record = self._records.find(model)
        return record.head if record else None

    def models(self) -> list[str]:
        """Return every model that a decision was made of."""
        rows = self._table.query("", only=("PartitionKey",))
        return sorted({str(row["PartitionKey"]) for row, _ in rows})

    def _known_or_last(self, model: str, noted: Head, same: tuple[str, str, str]) -> tuple[Head, Decision | None]:
        """Return the newest link (the noted one, or one whose worker died before noting it), and the same decision."""
        run, outcome, occasion = same
        condition = (  # spaces within the brackets: the library looks for the values' names between spaces
            "PartitionKey eq @model and ( RowKey ge @next or run_id eq @run and outcome eq @outcome "
            "and occasion eq @occasion )"
        )
        found = self._table.query(
            condition, model=model, next=_key(noted.number + 1), run=run, outcome=outcome, occasion=occasion
        )
        last = noted
        for row, _ in found:
            if (row["run_id"], row["outcome"], row["occasion"]) == same:
                return last, _from_row(row)
            last = max(last, Head(int(row["RowKey"]), row["hash"]), key=lambda head: head.number)
        return last, None


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
