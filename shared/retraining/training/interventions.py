"""A person steps in: cancels a run, or has it tried again."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import ARTIFACTS
from shared.domain.data.dataset import DatasetState
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, TRANSITIONS, Run, RunKind, RunState
from shared.domain.model import Model
from shared.errors import Changed, RequestRefused, StateConflict
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.showing.views import Json, run_as_json
from shared.retraining.training.advancing import Advancing

_log = logging.getLogger(__name__)
_AGAIN = re.compile(r"-again(\d+)$")


class Interventions:
    """Takes the wishes of people; asking twice does nothing twice."""

    def __init__(
        self,
        models: Mapping[str, Model],
        runs: RunTable,
        ledger: Ledger,
        blobs: BlobStore,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._models, self._runs, self._ledger, self._blobs = models, runs, ledger, blobs
        self._advancing, self._clock = advancing, clock

    def cancel(self, run_id: str, by: str, reason: str) -> Json:
        """
        End a run before its promotion; its job is cancelled at the service, now or by the next ticks.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run = self._wanted(run_id, by, reason)
        if run.state.is_final:
            raise RequestRefused(f"run '{run_id}' is {run.state.value} already")
        if RunState.CANCELLED not in TRANSITIONS[run.state]:
            way_back = f"wait for its end, then POST /api/models/{run.model}/rollback"
            raise RequestRefused(f"run '{run_id}' is {run.state.value}: the live endpoint is being changed; {way_back}")
        cancelled = run.cancelled(by.strip(), reason.strip())
        said, state = cancelled.cancel_reason, run.state.value
        event(_log, "run.cancel_requested", run_id=run.id, model=run.model, state=state, reason=said)
        return self._moved_on(run, cancelled)

    def retry(self, run_id: str, by: str, reason: str) -> Json:
        """
        Try a run again: one that waits goes on now; one that came to nothing trains on the same data in a new run.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        run = self._wanted(run_id, by, reason)
        event(_log, "run.retry_requested", run_id=run.id, model=run.model, state=run.state.value, by=by, reason=reason)
        if run.state is RunState.HELD:
            raise RequestRefused(f"run '{run_id}' is HELD: approve or reject it")
        if not run.state.is_final:
            return self._moved_on(run, replace(run.unannounced(), attempts=0))
        if run.state not in CAME_TO_NOTHING or run.kind is not RunKind.TRAINING:
            other = f"POST /api/runs/{run_id}/override puts a judged model live"
            raise RequestRefused(f"run '{run_id}' is {run.state.value}, so there is nothing to try again; {other}")
        return self._again(run, by.strip(), reason.strip())

    def _wanted(self, run_id: str, by: str, reason: str) -> Run:
        if not by.strip() or not reason.strip():
            raise RequestRefused("say who wants it and why: give `by` and `reason`", 400)
        run = self._runs.find_any(run_id)
        if run is None:
            raise RequestRefused(f"there is no run '{run_id}'; GET /api/runs lists them", 404)
        if run.model not in self._models:
            raise RequestRefused(f"models.toml no longer declares '{run.model}'", 404)
        return run

    def _moved_on(self, read: Run, run: Run) -> Json:
        try:
            asked = self._runs.amend(read, run)
        except Changed:
            raise RequestRefused(f"run '{run.id}' moved at this moment; look at it and ask again") from None
        with suppress(StateConflict):  # a worker has it; the next tick sees what was asked
            self._advancing.advance(asked)
        return run_as_json(self._runs.find(run.model, run.id) or run)

    def _again(self, run: Run, by: str, reason: str) -> Json:
        facts = facts_of(self._blobs.blob(run.training_blob))
        if facts is None or facts.etag != run.training_etag:
            raise RequestRefused(f"'{run.training_blob}' was replaced or removed since; drop the file again")
        now, again = self._clock(), _next_id(run.id)
        made = self._runs.create(
            Run(
                id=again,
                model=run.model,
                state=RunState.RECEIVED,
                created_at=now,
                updated_at=now,
                datasets=run.datasets,
                dataset_keys=run.dataset_keys,
                training_blob=run.training_blob,
                training_etag=run.training_etag,
                artifacts=f"{ARTIFACTS}/{run.model}/{again}",
                stages=((RunState.RECEIVED.value, now),),
                requested_by=by,
                request_reason=f"again, after '{run.id}' was {run.state.value}: {reason}",
                overlap=run.overlap,
                holdout=run.holdout,
            )
        )
        for key in run.dataset_keys:
            dataset = self._ledger.find(run.model, key)
            if dataset and dataset.run_id == run.id:
                said = f"trains again in '{made.id}', asked for by {by}: {reason}"
                self._ledger.save(replace(dataset, state=DatasetState.ACCEPTED, run_id=made.id, reason=said))
        return self._moved_on(made, made) if made.state is RunState.RECEIVED else run_as_json(made)


def _next_id(run_id: str) -> str:
    """Name the next attempt: the same for whoever asks, so that asking twice makes one run."""
    found = _AGAIN.search(run_id)
    return f"{_AGAIN.sub('', run_id)}-again{int(found[1]) + 1 if found else 1}"
