"""Training sets: files joined under one header, without the rows that may not train; every row is accounted for."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from shared.adapters.blob_writer import BlobWriter
from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.adapters.storage_layout import QUARANTINE, TRAINING_SETS
from shared.domain.data.checking import BadRow, Checking
from shared.domain.data.dataset import Dataset
from shared.domain.data.findings import Findings
from shared.domain.model import Model
from shared.errors import DatasetChanged, RetrainError, RowsUnaccounted
from shared.retraining.files.holdout_rows import HoldoutRows


class NoLongerAccepted(RetrainError):
    """A file that was accepted does not meet the contract, or the holdout rule, of today."""

    def __init__(self, dataset: Dataset, findings: Findings) -> None:
        self.dataset, self.findings = dataset, findings
        super().__init__(f"'{dataset.name}' no longer meets the contract: {findings.sentence()}")


@dataclass(frozen=True)
class TrainingSet:
    """What a job trains on: `container/name`, and the version."""

    path: str
    etag: str


class TrainingSets:
    """Composes training sets, streamed."""

    def __init__(self, blobs: BlobStore, holdouts: HoldoutRows) -> None:
        self._blobs, self._holdouts = blobs, holdouts

    def make(
        self, model: Model, run_id: str, datasets: Sequence[Dataset], progress: Callable[[], None] = lambda: None
    ) -> TrainingSet:
        """
        Return what a run over these files trains on: a single file as it is where all of it may train, else a new blob.

        Args:
            model: Whose run.
            run_id: The run.
            datasets: Its files.
            progress: Called again and again while the blob is written, which may take long.

        Raises:
            DatasetChanged: A file was replaced or removed.
            NoLongerAccepted: A file does not meet the contract any more.
        """
        if len(datasets) == 1 and _is_ready(datasets[0], model):
            return TrainingSet(datasets[0].path, datasets[0].etag)
        path = f"{TRAINING_SETS}/{model.name}/{run_id}-{uuid4().hex[:6]}.csv"
        blob = self._blobs.writer(path)
        rows = _RowWriter(blob)
        rows.write([model.contract.names])
        for dataset in datasets:
            self._add(model, dataset, rows, progress)
        rows.flush()
        return TrainingSet(path, blob.commit())

    def discard(self, made: TrainingSet) -> None:
        """Remove a set that no run uses."""
        if made.path.startswith(f"{TRAINING_SETS}/"):
            self._blobs.delete(made.path)

    def _add(self, model: Model, dataset: Dataset, training: _RowWriter, progress: Callable[[], None]) -> None:
        blob = self._blobs.blob(dataset.path)
        facts = facts_of(blob)
        if facts is None or facts.etag != dataset.etag:
            raise DatasetChanged(dataset.path)
        checking = Checking(model.contract, self._holdouts.of(model).hashes)
        before, aside = training.count, _SetAside(self._blobs.writer(f"{QUARANTINE}/{dataset.quarantine}.csv"))
        for some in checking.sort(chunks_of(blob, facts)):
            progress()
            training.write(some.training)
            aside.write(checking.header, some.bad)
        findings = checking.findings
        if not findings.is_met:
            raise NoLongerAccepted(dataset, findings)
        account(dataset, findings, trained=training.count - before, set_aside=aside.count)
        aside.commit()


def account(dataset: Dataset, findings: Findings, *, trained: int, set_aside: int) -> None:
    """
    Make sure that every row of a file went somewhere.

    Args:
        dataset: The file as the ledger has it.
        findings: What reading it showed.
        trained: Rows written for training.
        set_aside: Rows written to quarantine.

    Raises:
        RowsUnaccounted: Rows in are not rows out.
    """
    if not findings.rows == dataset.rows == trained + set_aside + findings.stripped or not findings.is_balanced:
        raise RowsUnaccounted(
            f"'{dataset.name}' has {dataset.rows} rows in the ledger and {findings.rows} as read, of which {trained} "
            f"would train, {set_aside} were set aside and {findings.stripped} left out as part of the holdout"
        )


def _is_ready(dataset: Dataset, model: Model) -> bool:
    """Whether a file can train as it was dropped."""
    is_current = dataset.contract == model.contract.fingerprint
    return is_current and not dataset.bad and not dataset.stripped and model.contract.separator == ","


class _RowWriter:
    """Writes rows as CSV into a blob, and counts them."""

    def __init__(self, blob: BlobWriter) -> None:
        self._blob, self._text = blob, io.StringIO(newline="")
        self._csv = csv.writer(self._text, lineterminator="\n")
        self.count = 0

    def write(self, rows: Sequence[Iterable[str]]) -> None:
        self._csv.writerows(rows)
        self.count += len(rows)
        self.flush()

    def flush(self) -> None:
        self._blob.write(self._text.getvalue().encode())
        self._text.seek(0)
        self._text.truncate()


class _SetAside:
    """Writes rows that may not train, as they were written, with line and reason before them."""

    def __init__(self, blob: BlobWriter) -> None:
        self._blob, self._rows = blob, _RowWriter(blob)
        self.count = 0

    def write(self, header: list[str], rows: list[BadRow]) -> None:
        if rows and not self.count:
            self._rows.write([["(line)", "(reason)", *header]])
        self._rows.write([[str(row.line), row.reason, *row.cells] for row in rows])
        self.count += len(rows)

    def commit(self) -> None:
        if self.count:
            self._blob.commit()
