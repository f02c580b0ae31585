"""What the HTTP functions answer: runs and files as plain JSON, and whether the app can work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.tables import stored
from shared.domain.data.dataset import UNDECLARED, Dataset
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model

Json = dict[str, Any]


class Views:
    """Read-only answers."""

    def __init__(self, models: Mapping[str, Model], ledger: Ledger, runs: RunTable) -> None:
        self._models, self._ledger, self._runs = models, ledger, runs

    def runs(self, model: str | None, limit: int = 100, after: str = "") -> Json:
        """
        Return the runs of one model or of all, newest first.

        Args:
            limit: The most runs to return.
            after: The `next` of the page before; empty for the first.
        """
        runs, following = self._runs.newest(model, limit, after)
        return {"runs": [run_as_json(run) for run in runs], "next": following or None}

    def run(self, run_id: str) -> Json | None:
        """Return one run; None when there is none such."""
        run = self._runs.find_any(run_id)
        return run_as_json(run) if run else None

    def datasets(self, model: str | None, limit: int = 100, after: str = "") -> Json:
        """
        Return the ledger of one model or of all declared ones, newest first.

        Args:
            model: The model; None for all.
            limit: The most files to return.
            after: The `next` of the page before; empty for the first.
        """
        files, following = self._ledger.page([model] if model else [*self._models, UNDECLARED], limit, after)
        return {"datasets": [dataset_as_json(dataset) for dataset in files], "next": following or None}


def run_as_json(run: Run) -> Json:
    """Return a run as plain JSON values."""
    return {
        "id": run.id,
        "model": run.model,
        "state": run.state.value,
        "is_final": run.state.is_final,
        "reason": run.reason,
        "waits_for": run.waits_for or None,
        "attempts": run.attempts,
        "due_at": stored(run.due_at) or None,
        "datasets": list(run.datasets),
        "job_id": run.job_id or None,
        "created_at": stored(run.created_at),
        "updated_at": stored(run.updated_at),
        "stages": [{"state": state, "at": stored(at)} for state, at in run.stages],
        "verdict": run.verdict,
        "kind": run.kind.value,
        "restores": run.restores or None,
        "until": stored(run.until) or None,
        "requested_by": run.requested_by or None,
        "request_reason": run.request_reason or None,
        "approval": run.approval,
        "judged_champion": run.judged_champion or None,
    }


def dataset_as_json(dataset: Dataset) -> Json:
    """Return a file's ledger row as HTTP answers show it."""
    return {
        "model": dataset.model,
        "name": dataset.name,
        "size": dataset.size,
        "rows": dataset.rows,
        "good": dataset.good,
        "bad": dataset.bad,
        "holdout_overlap": dataset.overlap,
        "stripped": dataset.stripped,
        "state": dataset.state.value,
        "reason": dataset.reason,
        "problems": list(dataset.problems),
        "duplicate_of": dataset.duplicate_of or None,
        "run_id": dataset.run_id or None,
        "asks": [asdict(ask) | {"at": stored(ask.at)} for ask in dataset.asks],
        "seen_by": dataset.seen_by,
        "seen_at": stored(dataset.seen_at),
        "settled_at": stored(dataset.settled_at) or None,
    }
