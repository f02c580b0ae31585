"""The table `runs`: one row a run, partitioned by model."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from shared.adapters.tables import Row, TableStore, instant, stored
from shared.domain.lifecycle.announcement import Announcement
from shared.domain.lifecycle.runs import Run, RunKind, RunState
from shared.errors import AlreadyExists, Changed
from shared.logs import event

_log = logging.getLogger(__name__)
_LEVELS = {
    RunState.FAILED: logging.WARNING,
    RunState.TIMED_OUT: logging.WARNING,
    RunState.ROLLED_BACK: logging.ERROR,
}
_REASON_CHARACTERS = 4000  # a table's text holds 32,000; what a service says may be of any length


class RunTable:
    """Stores runs; every save is conditional on the version that was read."""

    def __init__(self, table: TableStore, watch: Callable[[Run], None] = lambda run: None) -> None:
        """
        Args:
            watch: Told of every run that was saved in another state than before.
        """
        self._table, self._watch = table, watch

    def create(self, run: Run) -> Run:
        """Insert a run; one that is there already comes back as it stands, so a repeated delivery changes nothing."""
        try:
            return replace(run, version=self._table.insert(_to_row(run)))
        except AlreadyExists:
            known = self.find(run.model, run.id)
            if known is None:
                raise
            return known

    def save(self, run: Run) -> Run:
        """
        Save a run, and log the state that it was advanced to: `run.advanced`.

        Raises:
            Changed: Another worker moved it first.
        """
        saved = replace(run, version=self._table.replace(_to_row(run), run.version), came_from="")
        if run.came_from:
            event(
                _log,
                "run.advanced",
                level=_LEVELS.get(run.state, logging.INFO),
                run_id=run.id,
                model=run.model,
                state_from=run.came_from,
                state_to=run.state.value,
                job_id=run.job_id or None,
                reason=run.reason or None,
            )
            self._watch(saved)
        return saved

    def amend(self, read: Run, run: Run) -> Run:
        """
        Save what a person asked of a run; where only the telling of its news went on meanwhile, beside that.

        Args:
            read: The run as the person saw it.
            run: The same with what was asked.

        Raises:
            Changed: Another worker moved it first.
        """
        try:
            return self.save(run)
        except Changed:
            now = self.find(run.model, run.id)
            if now is None or replace(now, announcement=read.announcement) != read:
                raise
            return self.save(replace(run, announcement=now.announcement, version=now.version))

    def save_all(self, runs: Sequence[Run]) -> None:
        """Save runs as far as nobody else moved them: whoever did has seen more."""
        self._table.replace_all([(_to_row(run), run.version) for run in runs])

    def find(self, model: str, run_id: str) -> Run | None:
        """Return one run."""
        found = self._table.get(model, run_id)
        return _from_row(*found) if found else None

    def find_any(self, run_id: str) -> Run | None:
        """Return a run whose model is not known."""
        found = next(iter(self._table.query("RowKey eq @run", run=run_id)), None)
        return _from_row(*found) if found else None

    def due(self, now: datetime) -> Iterator[Run]:
        """Yield every open run whose pause, if it has one, is over."""
        for row, version in self._table.query("is_open eq true and due_at le @now", now=stored(now)):
            yield _from_row(row, version)

    def unannounced(self) -> Iterator[Run]:
        """Yield every run of whose state people are still to be told."""
        for row, version in self._table.query("is_news eq true"):
            yield _from_row(row, version)

    def recent(self, since: datetime, limit: int) -> list[Run]:
        """Return the runs that are open, and of those created since the newest, at most `limit`; newest first."""
        still_open = {run.id: run for run in map(_of, self._table.query("is_open eq true"))}
        some, _ = self._newest("created_at ge @since", limit, since=stored(since))
        return sorted((still_open | {run.id: run for run in some}).values(), key=_place, reverse=True)

    def newest(self, model: str | None, limit: int, after: str = "") -> tuple[list[Run], str]:
        """
        Return the newest runs of one model or of all, newest first, and where the next page starts.

        Args:
            limit: The most runs to return.
            after: Where the last page ended; empty for the first.
        """
        if model:
            return self._newest("PartitionKey eq @model", limit, after, model=model)
        return self._newest("", limit, after)

    def _newest(self, condition: str, limit: int, after: str = "", **values: Any) -> tuple[list[Run], str]:
        """
        Rows lie in the order of their names, so their places in time are read first, and then the newest as a whole.

        A place is the instant of creation and the run's id.
        """
        rows = self._table.query(condition, only=("RowKey", "created_at"), **values)
        places = (f"{row['created_at']}~{row['RowKey']}" for row, _ in rows)
        chosen = heapq.nlargest(limit + 1, (place for place in places if not after or place < after))
        if not chosen:
            return [], ""
        page, is_last = chosen[:limit], len(chosen) <= limit
        first, last = page[-1].partition("~")[0], page[0].partition("~")[0]
        span = "created_at ge @first and created_at le @last"
        both = f"{condition} and {span}" if condition else span
        found = map(_of, self._table.query(both, first=first, last=last, **values))
        runs = {f"{stored(run.created_at)}~{run.id}": run for run in found}
        return [runs[place] for place in page if place in runs], "" if is_last else page[-1]

    def open_ids(self, model: str, states: Collection[RunState]) -> set[str]:
        """Return the ids of one model's runs in these states."""
        wanted = {state.value for state in states}
        condition, only = "PartitionKey eq @model and is_open eq true", ("RowKey", "state")
        rows = self._table.query(condition, only=only, model=model)
        return {str(row["RowKey"]) for row, _ in rows if row["state"] in wanted}

    def open(self, model: str, states: Collection[RunState]) -> list[Run]:
        """Return one model's runs in these states, which are none of an end."""
        open_ones = map(_of, self._table.query("PartitionKey eq @model and is_open eq true", model=model))
        return [run for run in open_ones if run.state in states]

    def all(self, model: str | None = None) -> list[Run]:
        """Return the runs of one model or of all, newest first."""
        rows = self._table.query("PartitionKey eq @model", model=model) if model else self._table.query("")
        return sorted(map(_of, rows), key=_place, reverse=True)


def _of(found: tuple[Row, str]) -> Run:
    return _from_row(*found)


def _place(run: Run) -> tuple[datetime, str]:
    return run.created_at, run.id


def _to_row(run: Run) -> Row:
    return {
        "PartitionKey": run.model,
        "RowKey": run.id,
        "state": run.state.value,
        "is_open": not run.state.is_final,
        "created_at": stored(run.created_at),
        "updated_at": stored(run.updated_at),
        "datasets": json.dumps(run.datasets, ensure_ascii=False),
        "dataset_keys": json.dumps(run.dataset_keys),
        "training_blob": run.training_blob,
        "training_etag": run.training_etag,
        "artifacts": run.artifacts,
        "job_id": run.job_id,
        "submitted_at": stored(run.submitted_at),
        "reason": run.reason[:_REASON_CHARACTERS],
        "stages": json.dumps([[state, stored(at)] for state, at in run.stages]),
        "verdict": json.dumps(run.verdict, ensure_ascii=False) if run.verdict else "",
        "judged_champion": run.judged_champion,
        "attempts": run.attempts,
        "due_at": stored(run.due_at),
        "waits_for": run.waits_for,
        "queued_since": stored(run.queued_since),
        "cancel_reason": run.cancel_reason,
        "stray_jobs": json.dumps(run.stray_jobs),
        "kind": run.kind.value,
        "restores": run.restores,
        "until": stored(run.until),
        "requested_by": run.requested_by,
        "approval": json.dumps(run.approval, ensure_ascii=False) if run.approval else "",
        "is_news": run.is_news,
        "announcement": json.dumps(_announcement_row(run.announcement)),
        "request_reason": run.request_reason[:_REASON_CHARACTERS],
        "is_announced": run.is_announced,
        "overlap": str(run.overlap),  # a table's integer has 32 bits
        "holdout": run.holdout,
    }


def _from_row(row: Row, version: str) -> Run:
    return Run(
        id=row["RowKey"],
        model=row["PartitionKey"],
        state=RunState(row["state"]),
        created_at=datetime.fromisoformat(row["created_at"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
        datasets=tuple(json.loads(row["datasets"])),
        dataset_keys=tuple(json.loads(row["dataset_keys"])),
        training_blob=row["training_blob"],
        training_etag=row["training_etag"],
        artifacts=row["artifacts"],
        job_id=row["job_id"],
        submitted_at=instant(row["submitted_at"]),
        reason=row["reason"],
        stages=tuple((state, datetime.fromisoformat(at)) for state, at in json.loads(row["stages"])),
        verdict=json.loads(row["verdict"]) if row["verdict"] else None,
        judged_champion=row["judged_champion"],
        attempts=row["attempts"],
        due_at=instant(row["due_at"]),
        waits_for=row["waits_for"],
        queued_since=instant(row["queued_since"]),
        cancel_reason=row["cancel_reason"],
        stray_jobs=tuple(json.loads(row["stray_jobs"])),
        kind=RunKind(row["kind"]),
        restores=row["restores"],
        until=instant(row.get("until")),
        requested_by=row["requested_by"],
        approval=json.loads(row["approval"]) if row["approval"] else None,
        announcement=_announcement(json.loads(row["announcement"])),
        request_reason=row["request_reason"],
        is_announced=bool(row.get("is_announced")),
        overlap=int(row.get("overlap") or 0),  # runs of earlier versions have none of these three
        holdout=row.get("holdout") or "",
        version=version,
    )


def _announcement_row(announcement: Announcement) -> dict[str, Any]:
    return asdict(announcement) | {"not_before": stored(announcement.not_before)}


def _announcement(kept: dict[str, Any]) -> Announcement:
    return Announcement(**kept | {"done": tuple(kept["done"]), "not_before": instant(kept["not_before"])})
