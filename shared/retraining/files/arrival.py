"""A training file has arrived: enter it in the ledger, hold it against its contract, make its run."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from azure.storage.blob import BlobClient

from shared.adapters.blobs import BlobFacts, BlobStore, hashed, opened
from shared.adapters.ledger import Ledger
from shared.domain.data.checking import check
from shared.domain.data.dataset import UNDECLARED, Dataset, DatasetState, dataset_key, is_no_data, is_table
from shared.domain.data.findings import Findings, Problem, shown
from shared.domain.data.waiting import is_marker
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import DatasetChanged, RowsUnaccounted, ServiceUnavailable, StateConflict
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.files.accepting import Accepting
from shared.retraining.files.gathering import Gathering
from shared.retraining.files.holdout_rows import HoldoutRows
from shared.retraining.files.quarantining import Quarantine
from shared.retraining.training.advancing import Advancing

_log = logging.getLogger(__name__)
_TABLE_NAME = (
    "a name that ends in .csv or .tsv: nothing else trains; drop the data under such a name, or this file elsewhere"
)


class Arrival:
    """Receives training files; the same version may be delivered any number of times."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        holdouts: HoldoutRows,
        accepting: Accepting,
        quarantine: Quarantine,
        gathering: Gathering,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._by_folder = {model.folder: model for model in models.values()}
        self._blobs, self._ledger, self._holdouts = blobs, ledger, holdouts
        self._accepting, self._quarantine, self._gathering = accepting, quarantine, gathering
        self._advancing, self._clock = advancing, clock

    def receive(self, blob: BlobClient, by: str = "event") -> None:
        """
        Take one blob of `training-data/{folder}/…` to its final state, or to a run that owns it.

        Args:
            blob: The file.
            by: What drew attention to it: `event`, `marker`, `sweep` or `request`.
        """
        # Read by our own client: the platform's would hold large pieces in memory.
        found = opened(self._blobs.blob(f"{blob.container_name}/{blob.blob_name}"))
        if found is None:
            event(_log, "dataset.vanished", name=str(blob.blob_name))
            return
        facts, chunks = found
        try:
            self._receive(facts, chunks, by)
        except StateConflict as lost:
            event(_log, "dataset.left_to_another", name=facts.name, reason=str(lost))

    def model_of(self, name: str) -> Model | None:
        """Return the model that a blob's folder belongs to."""
        folder, slash, _ = name.partition("/")
        return self._by_folder.get(folder) if slash else None

    def why_no_model(self, name: str) -> str:
        """Say why a blob's name belongs to no model, and where to put it; empty where it belongs to one."""
        return "" if self.model_of(name) else self._no_model(name)

    def give_up(self, dataset: Dataset, *, was_removed: bool) -> None:
        """
        Settle a file whose version is gone before it was read.

        Raises:
            Changed: Another worker saved first.
        """
        how = "was removed before it was read" if was_removed else "was replaced before it was read"
        following = "" if was_removed else "; the version that came after it is a file of its own"
        self._save(dataset, DatasetState.REPLACED, how + following)

    def _receive(self, facts: BlobFacts, chunks: Iterator[bytes], by: str) -> None:
        model = self.model_of(facts.name)
        dataset = self._ledger.enter(self._new(facts, model, by))
        if dataset.state.is_settled:
            return
        dataset, run = self._settle(dataset, model, facts, chunks)
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
        if run:
            self._advance(run)
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

    def _settle(
        self, dataset: Dataset, model: Model | None, facts: BlobFacts, chunks: Iterator[bytes]
    ) -> tuple[Dataset, Run | None]:
        """Return a file as it was settled or left, and the run that it trains in, if that is one of its own."""
        settled = self._settle_unread(dataset, model, facts)
        if settled or model is None:
            return settled or dataset, None
        try:
            return self._inspect(dataset, model, chunks)
        except DatasetChanged as changed:
            return self._save(dataset, DatasetState.REPLACED, str(changed)), None

    def _settle_unread(self, dataset: Dataset, model: Model | None, facts: BlobFacts) -> Dataset | None:
        """Settle or leave a file that nobody need read; None where it is to be read."""
        if model and is_marker(facts.name, model.batching):
            return self._end_window(dataset, model, facts)
        if facts.is_folder or is_no_data(facts.name):
            what = "stands for a folder" if facts.is_folder else "its name starts with '_' or '.'"
            return self._save(dataset, DatasetState.IGNORED, f"no training data: {what}")
        if model is None:
            return self._save(dataset, DatasetState.QUARANTINED, self._no_model(facts.name))
        if not is_table(facts.name):
            return self._refuse(
                dataset, f"a file named {shown(facts.name.rpartition('/')[2])}", _TABLE_NAME, "no table"
            )
        if facts.may_grow and self._clock() - facts.modified_at < model.arriving.quiet:
            return self._leave(dataset, model)
        if facts.size == 0:
            return self._refuse(dataset, "an empty file (0 bytes)", "a header and rows", "empty")
        return None

    def _refuse(self, dataset: Dataset, found: str, expected: str, kind: str) -> Dataset:
        findings = Findings()
        findings.add(Problem(None, None, found, expected, kind))
        return self._quarantine.refuse(dataset, findings)

    def _leave(self, dataset: Dataset, model: Model) -> Dataset:
        quiet = f"{model.arriving.quiet.total_seconds():g} s"
        reason = f"more may be appended to it: it is read when it was left alone for {quiet}, or sealed"
        return dataset if dataset.reason == reason else self._ledger.save(replace(dataset, reason=reason))

    def _inspect(self, dataset: Dataset, model: Model, chunks: Iterator[bytes]) -> tuple[Dataset, Run | None]:
        """Read a file once: its hash, its rows, and the rows that it shares with the holdout."""
        sha = hashlib.sha256()
        holdout = self._holdouts.of(model)
        findings = check(hashed(chunks, sha), model.contract, holdout.hashes)
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
            holdout=holdout.version,
            stripped=findings.stripped,
            contract=model.contract.fingerprint,
            sha256=sha.hexdigest(),
            problems=tuple(findings.as_json()["problems"]),
        )
        if not findings.is_met:
            return self._quarantine.refuse(dataset, findings), None
        return self._accepting.accept(dataset, model, findings)

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
