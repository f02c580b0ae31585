"""The table `decisions`: append-only, each row holding the hash of the one before it."""

from __future__ import annotations

import json
import logging
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
        same = (run_id, outcome, occasion)
        for _ in range(_ATTEMPTS):
            noted = self._noted(model)
            last, known = self._known_or_last(model, noted[0], same)
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
            self._note(link, noted)
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
        head, version = self._noted(model)
        return head if version else None

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

    def _noted(self, model: str) -> tuple[Head, str]:
        """Return the noted head and its ETag; number -1 and no ETag where none is noted."""
        found = self._notes.get(_HEAD, model)
        return (Head(found[0]["number"], found[0]["hash"]), found[1]) if found else (Head(-1, ""), "")

    def _note(self, link: Decision, noted: tuple[Head, str]) -> None:
        """Note a new link as the head, unless another worker has noted a newer one."""
        row = {"PartitionKey": _HEAD, "RowKey": link.model, "number": link.number, "hash": link.hash}
        head, version = noted
        while head.number < link.number:
            try:
                _ = self._notes.replace(row, version) if version else self._notes.insert(row)
                return
            except (AlreadyExists, Changed):
                head, version = self._noted(link.model)


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
