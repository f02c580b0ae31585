"""A file that meets its contract: its bytes are claimed for its model, and it trains, waits, or is a duplicate."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.domain.data.dataset import Dataset, DatasetState
from shared.domain.data.findings import Findings
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, Run
from shared.domain.model import Model
from shared.errors import Changed
from shared.retraining import Clock
from shared.retraining.files.quarantining import Quarantine
from shared.retraining.files.training_sets import NoLongerAccepted, TrainingSets
from shared.retraining.training.naming import asked_run_id, new_run, run_id_of

_TWIN_S = 5.0  # how long a file waits for another of the same bytes that is being taken in; then the sweep looks again


class Accepting:
    """Accepts files; the same bytes never train a model twice, unless a person asks."""

    def __init__(
        self, ledger: Ledger, runs: RunTable, training_sets: TrainingSets, quarantine: Quarantine, clock: Clock
    ) -> None:
        self._ledger, self._runs, self._clock = ledger, runs, clock
        self._training_sets, self._quarantine = training_sets, quarantine

    def accept(self, dataset: Dataset, model: Model, findings: Findings) -> tuple[Dataset, Run | None]:
        """
        Return the file as it was settled, and the run that it trains in; None where it waits, or does not train.

        Raises:
            Changed: Another worker is taking in the same bytes, or saved first.
        """
        owner = self._ledger.claim_content(dataset)
        if owner != dataset.key and not self._takes_over(dataset, owner):
            return self._duplicate(dataset, owner), None
        if findings.bad:
            self._quarantine.write_reasons(dataset, findings)
        return self._start(dataset, model, findings)

    def _start(self, dataset: Dataset, model: Model, findings: Findings) -> tuple[Dataset, Run | None]:
        """Make the file's run before the ledger says so: whoever finds the file accepted finds its run."""
        ask = dataset.pending_ask
        if model.is_patient and not (ask and ask.what == "retrain"):
            waits = f"the schedule '{model.schedule}'" if model.schedule else "its window to close"
            return self._save(dataset, DatasetState.ACCEPTED, f"{findings.sentence()}; waits for {waits}"), None
        own = run_id_of(model.name, dataset.seen_at, dataset.key)
        run_id = asked_run_id(model.name, dataset.key, ask) if ask else own
        try:
            made = self._training_sets.make(model, run_id, [dataset])
        except NoLongerAccepted as refused:
            return self._quarantine.refuse(dataset, refused.findings), None
        run = new_run(run_id, model.name, [dataset], made.path, made.etag, self._clock())
        stored = self._runs.create(replace(run, requested_by=ask.by, request_reason=ask.reason) if ask else run)
        if stored.training_blob != made.path:
            self._training_sets.discard(made)
        asks = (*dataset.asks[:-1], replace(ask, run_id=run_id)) if ask else dataset.asks
        asked = f", asked for by {ask.by}: {ask.reason}" if ask else ""
        reason = f"{findings.sentence()}; trains in a run of its own{asked}"
        return self._save(dataset, DatasetState.ACCEPTED, reason, run_id=run_id, asks=asks), stored

    def _takes_over(self, dataset: Dataset, owner: str) -> bool:
        """Take the bytes over where they trained in no run that came to something, or a person wants them again."""
        first = self._settled_twin(dataset.model, owner)
        if first and not first.state.is_settled:
            raise Changed(f"the same bytes are being taken in as '{first.name}'")
        run = self._runs.find(dataset.model, first.run_id) if first and first.run_id else None
        came_to_nothing = run.state in CAME_TO_NOTHING if run else first is None or not first.waits
        ask = dataset.pending_ask
        if not came_to_nothing and not (ask and ask.what == "retrain"):
            return False
        self._ledger.take_over(dataset, owner)
        return True

    def _settled_twin(self, model: str, key: str) -> Dataset | None:
        """Return the file that came first, once another worker has settled it or has had time to."""
        until = time.monotonic() + _TWIN_S
        while (first := self._ledger.find(model, key)) and not first.state.is_settled and time.monotonic() < until:
            time.sleep(0.1)
        return first

    def _duplicate(self, dataset: Dataset, owner: str) -> Dataset:
        first = self._ledger.find(dataset.model, owner)
        name = first.name if first else owner
        reason = f"the same bytes arrived before as '{name}'; nothing trains twice"
        return self._save(dataset, DatasetState.DUPLICATE, reason, duplicate_of=name)

    def _save(self, dataset: Dataset, state: DatasetState, reason: str, **changes: Any) -> Dataset:
        now = self._clock()
        return self._ledger.save(replace(dataset, state=state, reason=reason, settled_at=now, **changes))
