"""Gathers what is known of one file, for the explanation of what became of it."""

from __future__ import annotations

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import TRAINING_DATA
from shared.domain.data.dataset import UNDECLARED, Dataset
from shared.domain.data.explanation import Present, Version, Waiting, explain
from shared.domain.model import Model
from shared.errors import RequestRefused
from shared.retraining import Clock
from shared.retraining.files.arrival import Arrival
from shared.retraining.files.asking import Asking
from shared.retraining.files.gathering import Gathering
from shared.retraining.files.sweeping import PATIENCE
from shared.retraining.showing.views import Json, dataset_as_json


class Explaining:
    """Answers why a file did or did not trigger."""

    def __init__(
        self,
        blobs: BlobStore,
        ledger: Ledger,
        runs: RunTable,
        arrival: Arrival,
        asking: Asking,
        gathering: Gathering,
        clock: Clock,
    ) -> None:
        self._blobs, self._ledger, self._runs, self._arrival = blobs, ledger, runs, arrival
        self._asking, self._gathering, self._clock = asking, gathering, clock

    def explain(self, name: str, model_name: str | None) -> Json:
        """
        Explain one file.

        Args:
            name: With or without its model's folder.
            model_name: The model, where the name alone does not say.

        Raises:
            RequestRefused: There is no such model, or nobody ever saw such a file.
        """
        stray = not model_name and self._is_stray(name)
        model = None if stray else self._asking.model_for(name, model_name)
        full = self._asking.full_name(name, model) if model else name
        facts = facts_of(self._blobs.blob(f"{TRAINING_DATA}/{full}"))
        present = Present(facts.etag, facts.size, facts.modified_at) if facts else None
        known = (self._ledger.named(model.name, full) if model else []) + self._ledger.named(UNDECLARED, full)
        versions = [self._version(dataset) for dataset in known]
        outside = "" if model else self._arrival.why_no_model(full)
        sentences = explain(full, present, versions, self._waiting(model), PATIENCE, self._clock(), outside)
        if not known and present is None:
            raise RequestRefused(" ".join(sentences), 404)
        return {
            "name": full,
            "model": model.name if model else None,
            "explanation": sentences,
            "versions": [dataset_as_json(dataset) for dataset in known],
        }

    def _is_stray(self, name: str) -> bool:
        """Whether a file of this name is, or was, in no model's folder."""
        if self._arrival.model_of(name):
            return False
        return (
            bool(self._ledger.named(UNDECLARED, name))
            or facts_of(self._blobs.blob(f"{TRAINING_DATA}/{name}")) is not None
        )

    def _version(self, dataset: Dataset) -> Version:
        run = self._runs.find(dataset.model, dataset.run_id) if dataset.run_id else None
        return Version(dataset, run.state.value, run.reason) if run else Version(dataset)

    def _waiting(self, model: Model | None) -> Waiting:
        waiting = self._gathering.waiting(model) if model else []
        if model is None or not waiting:
            return Waiting()
        return Waiting(model.schedule, model.batching, sum(d.good for d in waiting), waiting[0].seen_at)
