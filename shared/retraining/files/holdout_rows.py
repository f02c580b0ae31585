"""The rows that a model must not train on, hashed once for each version of its holdout."""

from __future__ import annotations

import logging

from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.adapters.storage_layout import HOLDOUTS
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.row_hashes import RowHashes, holdout_hashes
from shared.domain.model import Model
from shared.errors import DatasetChanged
from shared.logs import event

_log = logging.getLogger(__name__)


class HoldoutRows:
    """Knows each model's holdout by its hashes."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._known: dict[str, tuple[tuple[str, str], RowHashes]] = {}

    def of(self, model: Model) -> RowHashes:
        """Return the hashes of a model's holdout; none where it has no holdout, or one that cannot be compared."""
        facts = facts_of(self._blobs.blob(f"{HOLDOUTS}/{model.holdout}")) if model.holdout else None
        if facts is None:
            return frozenset()
        version = (facts.etag, model.contract.fingerprint)
        kept = self._known.get(model.name)
        if kept and kept[0] == version:
            return kept[1]
        try:
            hashes = holdout_hashes(chunks_of(self._blobs.blob(facts.path), facts), model.contract)
        except (CsvProblem, DatasetChanged) as unread:
            # The gate refuses such a holdout, with the same reason and before anything is promoted.
            reason = f"{unread}; training files are not compared with it"
            event(_log, "holdout.unread", level=logging.WARNING, model=model.name, name=facts.name, reason=reason)
            return frozenset()
        self._known[model.name] = (version, hashes)
        return hashes
