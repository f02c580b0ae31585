"""Sets a file aside that the training service refuses: what the contract did not see is quarantined all the same."""

from __future__ import annotations

import logging
from dataclasses import replace

from shared.adapters.blobs import BlobStore
from shared.adapters.ledger import Ledger
from shared.adapters.storage_layout import QUARANTINE
from shared.domain.data.dataset import DatasetState
from shared.domain.lifecycle.runs import Run
from shared.logs import event
from shared.retraining import Clock

_log = logging.getLogger(__name__)


class SettingAside:
    """Moves the one file of a run into quarantine; where a run has several, nobody can say which is at fault."""

    def __init__(self, ledger: Ledger, blobs: BlobStore, clock: Clock) -> None:
        self._ledger, self._blobs, self._clock = ledger, blobs, clock

    def quarantine(self, run: Run, reason: str) -> None:
        """Quarantine a run's only file, with the service's words beside it; repeating it changes nothing."""
        if len(run.dataset_keys) != 1:
            event(_log, "dataset.at_fault", level=logging.ERROR, run_id=run.id, files=list(run.datasets), reason=reason)
            return
        dataset = self._ledger.find(run.model, run.dataset_keys[0])
        if dataset is None or dataset.state is not DatasetState.ACCEPTED:
            return
        said = f"the training service refuses it: {reason}"
        document = {"file": dataset.path, "sha256": dataset.sha256, "run": run.id, "problems": [{"found": said}]}
        self._blobs.write_json(f"{QUARANTINE}/{dataset.quarantine}.json", document)
        now = self._clock()
        self._ledger.save(replace(dataset, state=DatasetState.QUARANTINED, reason=said, settled_at=now))
        event(_log, "dataset.quarantined", level=logging.WARNING, name=dataset.name, run_id=run.id, reason=said)
