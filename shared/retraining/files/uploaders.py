"""Who uploaded the files of a run, as far as their metadata say: the platform itself tells nobody."""

from __future__ import annotations

from shared.adapters.blobs import BlobStore, facts_of
from shared.adapters.ledger import Ledger
from shared.domain.lifecycle.runs import Run


class Uploaders:
    """Looks at the files as they lie in the container; one that was replaced or removed since tells nothing."""

    def __init__(self, ledger: Ledger, blobs: BlobStore) -> None:
        self._ledger, self._blobs = ledger, blobs

    def of(self, run: Run) -> list[str]:
        """Return the names that the metadata of a run's files hold."""
        found = (self._ledger.find(run.model, key) for key in run.dataset_keys)
        versions = [(facts_of(self._blobs.blob(dataset.path)), dataset.etag) for dataset in found if dataset]
        return [facts.uploaded_by for facts, etag in versions if facts and facts.etag == etag and facts.uploaded_by]
