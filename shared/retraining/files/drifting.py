"""Looks at what waits: is it so unlike the champion's training data that it should not wait any longer?"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.adapters.models_table import ModelTable
from shared.adapters.runs_table import RunTable
from shared.adapters.storage_layout import ARTIFACTS
from shared.domain.data.csv_text import CsvProblem, CsvRows
from shared.domain.data.dataset import Dataset
from shared.domain.data.drift import DriftRule, Profile, drifted_columns, profile, sampled
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import DatasetChanged
from shared.logs import event
from shared.retraining import Clock

_log = logging.getLogger(__name__)
_SHOWN = 3  # columns named in a reason


class Drifting:
    """Describes each file once, and compares it with what the champion was trained on."""

    def __init__(self, blobs: BlobStore, runs: RunTable, records: ModelTable, clock: Clock) -> None:
        self._blobs, self._runs, self._records, self._clock = blobs, runs, records, clock

    def reason(self, model: Model, waiting: list[Dataset]) -> str:
        """
        Say why what waits should train now; empty when drift is no reason.

        Args:
            waiting: The model's accepted files that no run includes yet, the longest waiting first.
        """
        rule = model.drift
        record = self._records.load(model.name)
        resting = record.drifted_at is not None and rule and self._clock() < record.drifted_at + rule.cooldown
        if rule is None or not waiting or resting:
            return ""
        reference = self._champions_data(model, record.champion.run_id if record.champion else "")
        if reference is None:
            return ""
        far = [self._drift(model, dataset, reference, rule) for dataset in reversed(waiting[-rule.files :])]
        if not rule.is_called_for([bool(columns) for columns in far]):
            return ""
        counted = f"{sum(map(bool, far))} of the newest {len(far)} files"
        worst = ", ".join(f"'{name}' by {distance:.2f}" for name, distance in list(far[0].items())[:_SHOWN])
        return f"{counted} have drifted from the champion's data (threshold {rule.threshold:g}), the newest in {worst}"

    def note(self, model: Model) -> None:
        """
        Note that a run was started for this reason, so that the next one waits.

        Raises:
            Changed: Another worker saved first.
        """
        self._records.save(replace(self._records.load(model.name), drifted_at=self._clock()))

    def of_run(self, model: Model, run: Run) -> tuple[Profile | None, Profile | None]:
        """Describe the data of a run's champion and its own; None where that is not known any more."""
        own = self._profile(model, f"{run.artifacts}/profile.json", run.training_blob, run.training_etag, ",")
        return self._champions_data(model, run.judged_champion), own

    def _drift(self, model: Model, dataset: Dataset, reference: Profile, rule: DriftRule) -> dict[str, float]:
        path = f"{ARTIFACTS}/{model.name}/profiles/{dataset.key}.json"
        found = self._profile(model, path, dataset.path, dataset.etag, model.contract.separator)
        columns = drifted_columns(reference, found, rule) if found else {}
        event(_log, "dataset.compared", model=model.name, name=dataset.name, drifted=list(columns)[:_SHOWN])
        return columns

    def _champions_data(self, model: Model, made_by: str) -> Profile | None:
        """Return the profile of what the champion was trained on; None where that is not known any more."""
        run = self._runs.find(model.name, made_by) if made_by else None
        if run is None:
            return None
        # What trains is written with commas, whatever separates the columns of the files.
        return self._profile(model, f"{run.artifacts}/profile.json", run.training_blob, run.training_etag, ",")

    def _profile(self, model: Model, kept: str, source: str, etag: str, separator: str) -> Profile | None:
        document = self._blobs.read_json(kept)
        if document is not None:
            return Profile(**document)
        facts = facts_of(self._blobs.blob(source))
        if facts is None or facts.etag != etag:
            return None
        rows = CsvRows(chunks_of(self._blobs.blob(source), facts), separator)
        try:
            header = rows.header() or []
            count, sample = sampled(_cells(rows), seed=etag)
        except (CsvProblem, DatasetChanged):
            return None
        made = profile(header, sample, count, model.contract)
        self._blobs.write_json(kept, made.as_json())
        return made


def _cells(rows: CsvRows) -> Iterator[list[str]]:
    return (row for batch in rows.batches() for row in batch.rows)
