"""A training file has arrived: enter it in the ledger, hold it against its contract, start a run."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from azure.storage.blob import BlobClient

from shared.adapters.blobs import BlobFacts, BlobStore, chunks_of, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import QUARANTINE
from shared.domain import contract
from shared.domain.dataset import Dataset, DatasetState, dataset_key
from shared.domain.model import Model
from shared.domain.runs import CAME_TO_NOTHING
from shared.errors import DatasetChanged, ServiceUnavailable, StateConflict
from shared.logs import event
from shared.retraining import Clock
from shared.retraining.advancing import Advancing
from shared.retraining.naming import new_run, run_id_of

_log = logging.getLogger(__name__)
_UNDECLARED = "(no model)"


class Arrival:
    """Receives training files; the same version may be delivered any number of times."""

    def __init__(
        self,
        models: Mapping[str, Model],
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        advancing: Advancing,
        clock: Clock,
    ) -> None:
        self._by_folder = {model.folder: model for model in models.values()}
        self._blobs, self._ledger, self._runs, self._advancing, self._clock = blobs, ledger, runs, advancing, clock

    def receive(self, blob: BlobClient) -> None:
        """Take one blob of `training-data/{folder}/…` to its final state, or to a run that owns it."""
        try:
            self._receive(blob)
        except StateConflict as lost:
            event(_log, "dataset.left_to_another", name=str(blob.blob_name), reason=str(lost))

    def _receive(self, blob: BlobClient) -> None:
        facts = facts_of(blob)
        if facts is None:
            event(_log, "dataset.vanished", name=str(blob.blob_name))
            return
        folder, slash, _ = facts.name.partition("/")
        model = self._by_folder.get(folder) if slash else None
        dataset = self._ledger.enter(self._new(facts, model))
        if not dataset.state.is_settled:
            dataset = self._settle(dataset, model, blob, facts)
            event(
                _log,
                "dataset.settled",
                model=dataset.model,
                name=dataset.name,
                state=dataset.state.value,
                reason=dataset.reason,
                rows=dataset.rows,
                run_id=dataset.run_id or None,
            )
        if model and dataset.state is DatasetState.ACCEPTED and dataset.run_id:
            self._start(model, dataset)

    def _new(self, facts: BlobFacts, model: Model | None) -> Dataset:
        return Dataset(
            key=dataset_key(facts.container, facts.name, facts.etag),
            model=model.name if model else _UNDECLARED,
            container=facts.container,
            name=facts.name,
            etag=facts.etag,
            size=facts.size,
            seen_at=self._clock(),
        )

    def _settle(self, dataset: Dataset, model: Model | None, blob: BlobClient, facts: BlobFacts) -> Dataset:
        if model is None:
            return self._save(dataset, DatasetState.QUARANTINED, self._no_model(facts.name))
        sha = hashlib.sha256()
        try:
            findings = contract.check(_hashed(chunks_of(blob, facts), sha), model.contract)
        except DatasetChanged as changed:
            return self._save(dataset, DatasetState.REPLACED, str(changed))
        dataset = replace(dataset, rows=findings.rows, sha256=sha.hexdigest())
        if not findings.is_met:
            return self._quarantine(dataset, findings)
        owner = self._ledger.claim_content(dataset)
        if owner != dataset.key and not self._takes_over(dataset, owner):
            return self._duplicate(dataset, owner)
        run_id = "" if model.schedule else run_id_of(model.name, dataset.seen_at, dataset.key)
        reason = f"waits for the schedule '{model.schedule}'" if model.schedule else "trains in a run of its own"
        return self._save(dataset, DatasetState.ACCEPTED, f"{findings.sentence()}; {reason}", run_id=run_id)

    def _no_model(self, name: str) -> str:
        folder, slash, _ = name.partition("/")
        declared = ", ".join(f"'{known}/'" for known in sorted(self._by_folder))
        if not slash:
            return f"lies in no folder; the folder says which model a file trains: put it into {declared}"
        return f"no model in models.toml has the folder '{folder[:80]}'; declared are {declared}"

    def _quarantine(self, dataset: Dataset, findings: contract.Findings) -> Dataset:
        document = findings.as_json() | {"file": dataset.path, "sha256": dataset.sha256}
        self._blobs.write_json(f"{QUARANTINE}/{dataset.name}.{dataset.key[:8]}.json", document)
        problems = tuple(findings.as_json()["problems"])
        return self._save(dataset, DatasetState.QUARANTINED, findings.sentence(), problems=problems)

    def _takes_over(self, dataset: Dataset, owner: str) -> bool:
        """Take the bytes over where their first run came to nothing: dropping a file again is asking again."""
        first = self._ledger.find(dataset.model, owner)
        run = self._runs.find(dataset.model, first.run_id) if first and first.run_id else None
        if run is None or run.state not in CAME_TO_NOTHING:
            return False
        self._ledger.take_over(dataset, owner)
        return True

    def _duplicate(self, dataset: Dataset, owner: str) -> Dataset:
        first = self._ledger.find(dataset.model, owner)
        name = first.name if first else owner
        reason = f"the same bytes arrived before as '{name}'; nothing trains twice"
        return self._save(dataset, DatasetState.DUPLICATE, reason, duplicate_of=name)

    def _save(self, dataset: Dataset, state: DatasetState, reason: str, **changes: Any) -> Dataset:
        now = self._clock()
        return self._ledger.save(replace(dataset, state=state, reason=reason, settled_at=now, **changes))

    def _start(self, model: Model, dataset: Dataset) -> None:
        run = new_run(dataset.run_id, model.name, [dataset], dataset.path, dataset.etag, self._clock())
        run = self._runs.create(run)
        try:
            self._advancing.advance(run)
        except ServiceUnavailable as later:
            event(_log, "run.delayed", level=logging.WARNING, run_id=run.id, reason=str(later))


def _hashed(chunks: Iterator[bytes], sha: Any) -> Iterator[bytes]:
    for chunk in chunks:
        sha.update(chunk)
        yield chunk
