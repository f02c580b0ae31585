"""Quarantine: a refused file's reasons, beside the rows of others that were set aside."""

from __future__ import annotations

from dataclasses import replace

from shared.adapters.blobs import BlobStore
from shared.adapters.ledger import Ledger
from shared.adapters.storage_layout import QUARANTINE
from shared.domain.data.dataset import Dataset, DatasetState
from shared.domain.data.findings import Findings
from shared.retraining import Clock


class Quarantine:
    """Writes reasons, and the ledger's row after them."""

    def __init__(self, blobs: BlobStore, ledger: Ledger, clock: Clock) -> None:
        self._blobs, self._ledger, self._clock = blobs, ledger, clock

    def refuse(self, dataset: Dataset, findings: Findings) -> Dataset:
        """Quarantine a whole file."""
        self.write_reasons(dataset, findings)
        return self._ledger.save(
            replace(
                dataset,
                state=DatasetState.QUARANTINED,
                reason=findings.sentence(),
                problems=tuple(findings.as_json()["problems"]),
                settled_at=self._clock(),
            )
        )

    def write_reasons(self, dataset: Dataset, findings: Findings) -> None:
        """Write what is wrong with a file, or with the rows of it that are set aside."""
        document = {"file": dataset.path, "etag": dataset.etag, "sha256": dataset.sha256, "contract": dataset.contract}
        self._blobs.write_json(f"{QUARANTINE}/{dataset.quarantine}.json", document | findings.as_json())
