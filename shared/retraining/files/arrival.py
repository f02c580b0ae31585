"""A training file has arrived: enter it in the ledger, hold it against its contract, make its run."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from azure.storage.blob import BlobClient

from shared.adapters.blobs import BlobFacts, BlobStore, chunks_of, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.domain.data.checking import check
from shared.domain.data.dataset import UNDECLARED, Dataset, DatasetState, dataset_key, is_no_data
from shared.domain.data.findings import Findings, Problem
from shared.domain.data.waiting import is_marker
from shared.domain.lifecycle.runs import CAME_TO_NOTHING, Run
from shared.domain.model import Model
from shared.errors import Changed, DatasetChanged, RowsUnaccounted, ServiceUnavailable, StateConflict
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.gathering import Gathering
from shared.retraining.files.holdout_rows import HoldoutRows
from shared.retraining.files.quarantining import Quarantine
from shared.retraining.files.training_sets import NoLongerAccepted, TrainingSets
from shared.retraining.training.advancing import Advancing
from shared.retraining.training.naming import asked_run_id, new_run, run_id_of

_log = logging.getLogger(__name__)
_TWIN_S = 5.0  # how long a file waits for another of the same bytes that is being taken in; then the sweep looks again


class Arrival:
    """Receives training files; the same version may be delivered any number of times."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        holdouts: HoldoutRows,
        training_sets: TrainingSets,
        quarantine: Quarantine,
        gathering: Gathering,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._by_folder = {model.folder: model for model in models.values()}
        self._blobs, self._ledger, self._runs, self._holdouts = blobs, ledger, runs, holdouts
        self._training_sets, self._quarantine, self._gathering = training_sets, quarantine, gathering
        self._advancing, self._clock = advancing, clock

    def receive(self, blob: BlobClient, by: str = "event") -> None:
        """
        Take one blob of `training-data/{folder}/…` to its final state, or to a run that owns it.

        Args:
            blob: The file.
            by: What drew attention to it: `event`, `marker`, `sweep` or `request`.
        """
        facts = facts_of(blob)
        if facts is None:
            event(_log, "dataset.vanished", name=str(blob.blob_name))
            return
        try:
            self._receive(facts, by)
        except StateConflict as lost:
            event(_log, "dataset.left_to_another", name=facts.name, reason=str(lost))

    def model_of(self, name: str) -> Model | None:
        """Return the model that a blob's folder belongs to."""
        folder, slash, _ = name.partition("/")
        return self._by_folder.get(folder) if slash else None

    def give_up(self, dataset: Dataset, *, was_removed: bool) -> None:
        """
        Settle a file whose version is gone before it was read.

        Raises:
            Changed: Another worker saved first.
        """
        how = "was removed before it was read" if was_removed else "was replaced before it was read"
        following = "" if was_removed else "; the version that came after it is a file of its own"
        self._save(dataset, DatasetState.REPLACED, how + following)

    def _receive(self, facts: BlobFacts, by: str) -> None:
        model = self.model_of(facts.name)
        dataset = self._ledger.enter(self._new(facts, model, by))
        if dataset.state.is_settled:
            return
        dataset = self._settle(dataset, model, facts)
        event(
            _log,
            "dataset.settled" if dataset.state.is_settled else "dataset.waited_for",
            model=dataset.model,
            name=dataset.name,
            state=dataset.state.value,
            reason=dataset.reason,
            rows=dataset.rows,
            run_id=dataset.run_id or None,
        )
        if model and dataset.run_id:
            self._advance(self._runs.find(model.name, dataset.run_id))
        elif model and dataset.waits:
            self._advance(self._gathering.close_window(model))

    def _new(self, facts: BlobFacts, model: Model | None, by: str) -> Dataset:
        return Dataset(
            key=dataset_key(facts.container, facts.name, facts.etag),
            model=model.name if model else UNDECLARED,
            container=facts.container,
            name=facts.name,
            etag=facts.etag,
            size=facts.size,
            seen_at=self._clock(),
            seen_by=by,
        )

    def _settle(self, dataset: Dataset, model: Model | None, facts: BlobFacts) -> Dataset:
        if model and is_marker(facts.name, model.batching):
            return self._end_window(dataset, model, facts)
        if facts.is_folder or is_no_data(facts.name):
            what = "stands for a folder" if facts.is_folder else "its name starts with '_' or '.'"
            return self._save(dataset, DatasetState.IGNORED, f"no training data: {what}")
        if model is None:
            return self._save(dataset, DatasetState.QUARANTINED, self._no_model(facts.name))
        if facts.may_grow and self._clock() - facts.modified_at < model.arriving.quiet:
            return self._leave(dataset, model)
        if facts.size == 0:
            findings = Findings()
            findings.add(Problem(None, None, "an empty file (0 bytes)", "a header and rows", "empty"))
            return self._quarantine.refuse(dataset, findings)
        try:
            return self._inspect(dataset, model, facts)
        except DatasetChanged as changed:
            return self._save(dataset, DatasetState.REPLACED, str(changed))

    def _leave(self, dataset: Dataset, model: Model) -> Dataset:
        quiet = f"{model.arriving.quiet.total_seconds():g} s"
        reason = f"more may be appended to it: it is read when it was left alone for {quiet}, or sealed"
        return dataset if dataset.reason == reason else self._ledger.save(replace(dataset, reason=reason))

    def _inspect(self, dataset: Dataset, model: Model, facts: BlobFacts) -> Dataset:
        """Read a file once: its hash, its rows, and the rows that it shares with the holdout."""
        sha = hashlib.sha256()
        chunks = _hashed(chunks_of(self._blobs.blob(facts.path), facts), sha)
        findings = check(chunks, model.contract, self._holdouts.of(model))
        if not findings.is_balanced:
            raise RowsUnaccounted(
                f"'{dataset.name}' has {findings.rows} rows, {findings.good} good, {findings.bad} bad"
            )
        dataset = replace(
            dataset,
            rows=findings.rows,
            good=findings.good,
            bad=findings.bad,
            overlap=findings.overlap,
            stripped=findings.stripped,
            contract=model.contract.fingerprint,
            sha256=sha.hexdigest(),
            problems=tuple(findings.as_json()["problems"]),
        )
        if not findings.is_met:
            return self._quarantine.refuse(dataset, findings)
        owner = self._ledger.claim_content(dataset)
        if owner != dataset.key and not self._takes_over(dataset, owner):
            return self._duplicate(dataset, owner)
        if findings.bad:
            self._quarantine.write_reasons(dataset, findings)
        return self._accept(dataset, model, findings)

    def _accept(self, dataset: Dataset, model: Model, findings: Findings) -> Dataset:
        """Make the file's run before the ledger says so: whoever finds the file accepted finds its run."""
        ask = dataset.pending_ask
        if model.is_patient and not (ask and ask.what == "retrain"):
            waits = f"the schedule '{model.schedule}'" if model.schedule else "its window to close"
            return self._save(dataset, DatasetState.ACCEPTED, f"{findings.sentence()}; waits for {waits}")
        own = run_id_of(model.name, dataset.seen_at, dataset.key)
        run_id = asked_run_id(model.name, dataset.key, ask) if ask else own
        try:
            made = self._training_sets.make(model, run_id, [dataset])
        except NoLongerAccepted as refused:
            return self._quarantine.refuse(dataset, refused.findings)
        run = new_run(run_id, model.name, [dataset], made.path, made.etag, self._clock())
        stored = self._runs.create(replace(run, requested_by=ask.by, request_reason=ask.reason) if ask else run)
        if stored.training_blob != made.path:
            self._training_sets.discard(made)
        asks = (*dataset.asks[:-1], replace(ask, run_id=run_id)) if ask else dataset.asks
        asked = f", asked for by {ask.by}: {ask.reason}" if ask else ""
        reason = f"{findings.sentence()}; trains in a run of its own{asked}"
        return self._save(dataset, DatasetState.ACCEPTED, reason, run_id=run_id, asks=asks)

    def _end_window(self, dataset: Dataset, model: Model, facts: BlobFacts) -> Dataset:
        """Take in every file beside and below the marker, then train on all that waits."""
        folder = facts.name.rpartition("/")[0] + "/"
        for other in self._blobs.listing(facts.container, folder):
            if other.modified_at <= facts.modified_at and not is_marker(other.name, model.batching):
                self.receive(self._blobs.blob(other.path), by="marker")
        run = self._gathering.gather(model, f"the marker '{facts.name}' came")
        reason = f"a marker: it ended the window of run '{run.id}'" if run else "a marker, and no file was waiting"
        dataset = self._save(dataset, DatasetState.IGNORED, reason)
        self._advance(run)
        return dataset

    def _no_model(self, name: str) -> str:
        folder, slash, _ = name.partition("/")
        declared = ", ".join(f"'{known}/'" for known in sorted(self._by_folder))
        if not slash:
            return f"lies in no folder; the folder says which model a file trains: put it into {declared}"
        return f"no model in models.toml has the folder '{folder[:80]}'; declared are {declared}"

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

    def _advance(self, run: Run | None) -> None:
        if run is None:
            return
        try:
            self._advancing.advance(run)
        except ServiceUnavailable as later:
            event(_log, "run.delayed", level=logging.WARNING, run_id=run.id, reason=str(later))


def _hashed(chunks: Iterator[bytes], sha: Any) -> Iterator[bytes]:
    for chunk in chunks:
        sha.update(chunk)
        yield chunk
