"""What a person asks of training files: train this one, train what waits, release this one from quarantine."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from shared.adapters.blobs import BlobFacts, BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import TRAINING_DATA
from shared.domain.data.dataset import UNDECLARED, Ask, Dataset, DatasetState, dataset_key
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, Run
from shared.domain.model import Model
from shared.errors import Changed, DatasetChanged, RequestRefused, ServiceUnavailable
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.arrival import Arrival
from shared.retraining.files.gathering import Gathering
from shared.retraining.showing.views import Json, dataset_as_json, run_as_json
from shared.retraining.training.advancing import Advancing

_log = logging.getLogger(__name__)
_BY_CHARACTERS, _REASON_CHARACTERS = 200, 1000  # kept of what a person says
_READ_AT_ONCE = 256 * 2**20  # bytes; a larger file is read by the sweep, as an HTTP answer may not take minutes


class Asking:
    """
    Carries out requests; each is recorded in the ledger before it has any effect.

    A request reopens the file's row, and the file goes its usual way from there: whoever dies is replaced by the sweep.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        arrival: Arrival,
        gathering: Gathering,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._models, self._blobs, self._ledger, self._runs = models, blobs, ledger, runs
        self._arrival, self._gathering, self._advancing, self._clock = arrival, gathering, advancing, clock

    def retrain(self, model_name: str, dataset: str | None, by: str, reason: str, *, force: bool = False) -> Json:
        """
        Train one file, or all that wait.

        Args:
            model_name: The model.
            dataset: A file's name, with or without the model's folder; None for all that were accepted and wait.
            by: Who asks.
            reason: Why; `force` needs one.
            force: Train the file although its bytes trained this model before.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        model = self.model(model_name)
        if not by.strip():
            raise RequestRefused("say who asks: `by`", 400)
        if force and not reason.strip():
            raise RequestRefused("`force` trains again on bytes that trained before; say why: `reason`", 400)
        ask = self._ask("retrain", by, reason)
        if dataset is None:
            if force:
                raise RequestRefused("`force` is for one file; name it: `dataset`", 400)
            return self._retrain_waiting(model, ask)
        return self._retrain_file(model, self.full_name(dataset, model), ask, force=force)

    def release(self, name: str, model_name: str | None, by: str, reason: str) -> Json:
        """
        Hold a quarantined file against today's contract; it trains if it meets it now.

        Raises:
            RequestRefused: Says why, and what to do.
        """
        model = self.model_for(name, model_name)
        full = self.full_name(name, model)
        if not by.strip() or not reason.strip():
            raise RequestRefused("say who releases it and why: `by` and `reason`", 400)
        ask = self._ask("release", by, reason)
        facts, dataset = self._current(model, full)
        stray = self._ledger.find(UNDECLARED, dataset_key(facts.container, facts.name, facts.etag))
        if dataset is None and stray is not None:
            released = f"released by {ask.by}: its folder belongs to '{model.name}' now, whose ledger has it"
            self._ledger.save(replace(stray, reason=released, asks=(*stray.asks, ask)))
        elif dataset is None:
            raise RequestRefused(f"the ledger does not know '{full}' yet; the sweep takes it up")
        elif dataset.state is not DatasetState.QUARANTINED:
            raise RequestRefused(f"'{full}' is {dataset.state.value}, not in quarantine: {dataset.reason}")
        else:
            self._reopen(dataset, ask, "is held against the contract again")
        return self._received(model, facts)

    def model(self, name: str) -> Model:
        """
        Return a declared model.

        Raises:
            RequestRefused: There is none such.
        """
        if name not in self._models:
            raise RequestRefused(f"there is no model '{name}'; declared are {', '.join(sorted(self._models))}", 404)
        return self._models[name]

    def model_for(self, dataset: str, model_name: str | None) -> Model:
        """
        Return the model that a file belongs to: the one named, the one of its folder, or the only one.

        Raises:
            RequestRefused: There is none such, or the file's name alone does not say.
        """
        if model_name:
            return self.model(model_name)
        found = self._arrival.model_of(dataset)
        if found is None and len(self._models) > 1:
            raise RequestRefused(f"say whose file '{dataset}' is: put the model's folder before it, or ?model=", 400)
        return found or next(iter(self._models.values()))

    def full_name(self, dataset: str, model: Model) -> str:
        """Return a file's name with its model's folder."""
        return dataset if dataset.startswith(f"{model.folder}/") else f"{model.folder}/{dataset}"

    def _ask(self, what: str, by: str, reason: str) -> Ask:
        return Ask(what, by.strip()[:_BY_CHARACTERS], reason.strip()[:_REASON_CHARACTERS], self._clock())

    def _retrain_waiting(self, model: Model, ask: Ask) -> Json:
        why = f"{ask.by} asked for it" + (f": {ask.reason}" if ask.reason else "")
        try:
            run = self._gathering.gather(model, why, ask)
        except (Changed, DatasetChanged) as changed:
            raise RequestRefused(f"{changed}; ask again") from changed
        if run is None:
            unread = [dataset.name for dataset in self._ledger.unsettled([model.name])]
            if unread:
                return {
                    "run": None,
                    "answer": f"no accepted file of '{model.name}' waits; being read: {_some(unread)}",
                }
            newest, _ = self._ledger.page([model.name], 1)
            since = f"'{newest[0].name}' of {newest[0].seen_at.isoformat()}" if newest else "the beginning"
            return {"run": None, "answer": f"nothing new since {since}: no accepted file of '{model.name}' waits"}
        return {"run": self._advanced(run), "answer": f"trains on {len(run.datasets)} file(s), because {why}"}

    def _retrain_file(self, model: Model, full: str, ask: Ask, *, force: bool) -> Json:
        facts, dataset = self._current(model, full)
        if dataset is not None:
            self._check_trainable(model, dataset, force=force)
            self._reopen(dataset, ask, "trains again" if force else "trains")
        return self._received(model, facts)

    def _check_trainable(self, model: Model, dataset: Dataset, *, force: bool) -> None:
        name, state = dataset.name, dataset.state
        if state is DatasetState.QUARANTINED:
            what = "fix the contract and release it, or fix the file and drop it again"
            raise RequestRefused(f"'{name}' is in quarantine: {dataset.reason}; {what}")
        if state not in (DatasetState.ACCEPTED, DatasetState.DUPLICATE):
            raise RequestRefused(f"'{name}' is {state.value}: {dataset.reason or 'it is being read'}")
        run = self._run_of(dataset)
        if run and not run.state.is_final:
            raise RequestRefused(f"the bytes of '{name}' train already: run '{run.id}' is {run.state.value}")
        if not force and run and run.state not in CAME_TO_NOTHING:
            trained = f"the bytes of '{name}' trained '{model.name}' before: run '{run.id}' ended {run.state.value}"
            raise RequestRefused(f"{trained}; to train on them again send `force`: true with a `reason`")

    def _run_of(self, dataset: Dataset) -> Run | None:
        """Return the last run of a file's bytes, whatever name they came by."""
        owner = (
            self._ledger.find(dataset.model, self._ledger.claim_content(dataset)) if dataset.duplicate_of else dataset
        )
        return self._runs.find(dataset.model, owner.run_id) if owner and owner.run_id else None

    def _reopen(self, dataset: Dataset, ask: Ask, what: str) -> None:
        reason = f"{what}, asked for by {ask.by}" + (f": {ask.reason}" if ask.reason else "")
        ask = replace(ask, run_before=dataset.run_id)
        try:
            self._ledger.save(
                replace(
                    dataset,
                    state=DatasetState.SEEN,
                    reason=reason,
                    run_id="",
                    duplicate_of="",
                    problems=(),
                    asks=(*dataset.asks, ask),
                )
            )
        except Changed as moved:
            raise RequestRefused(f"'{dataset.name}' is being worked on; look at it again") from moved
        event(_log, f"dataset.{ask.what}_asked", name=dataset.name, by=ask.by, reason=ask.reason)

    def _current(self, model: Model, full: str) -> tuple[BlobFacts, Dataset | None]:
        facts = facts_of(self._blobs.blob(f"{TRAINING_DATA}/{full}"))
        if facts is None:
            known = self._ledger.named(model.name, full)
            was = f"; the ledger knew it as {known[0].state.value}" if known else ""
            raise RequestRefused(
                f"there is no file '{full}' in {TRAINING_DATA}{was}; GET /api/datasets lists what came", 404
            )
        return facts, self._ledger.find(model.name, dataset_key(facts.container, facts.name, facts.etag))

    def _received(self, model: Model, facts: BlobFacts) -> Json:
        """Send a file its way, and say how far it came."""
        if facts.size <= _READ_AT_ONCE:
            self._arrival.receive(self._blobs.blob(facts.path), by="request")
        dataset = self._ledger.find(model.name, dataset_key(facts.container, facts.name, facts.etag))
        run = self._runs.find(model.name, dataset.run_id) if dataset and dataset.run_id else None
        settled = dataset is not None and dataset.state.is_settled
        return {
            "dataset": dataset_as_json(dataset) if dataset else None,
            "run": run_as_json(run) if run else None,
            "answer": dataset.reason if dataset and settled else f"'{facts.name}' is read by the next sweep",
        }

    def _advanced(self, run: Run) -> Json:
        try:
            self._advancing.advance(run)
        except ServiceUnavailable as later:
            event(_log, "run.delayed", level=logging.WARNING, run_id=run.id, reason=str(later))
        return run_as_json(self._runs.find(run.model, run.id) or run)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
