"""The rows that a model must not train on, hashed once for each version of its holdout."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from shared.adapters.blobs import BlobStore, chunks_of, facts_of, hashed
from shared.adapters.storage_layout import HOLDOUTS
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.row_hashes import RowHashes, holdout_hashes
from shared.domain.model import Model
from shared.errors import DatasetChanged
from shared.logs import event

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ComparedRows:
    """
    One version of a holdout.

    Attributes:
        version: Hash of its bytes, in hex; empty where there is nothing to compare with.
        hashes: Of its rows.
    """

    version: str = ""
    hashes: RowHashes = frozenset()


class HoldoutRows:
    """Knows each model's holdout by its hashes."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._known: dict[str, tuple[tuple[str, str], ComparedRows]] = {}

    def of(self, model: Model) -> ComparedRows:
        """Return the hashes of a model's holdout; none where it has no holdout, or one that cannot be compared."""
        facts = facts_of(self._blobs.blob(f"{HOLDOUTS}/{model.holdout}")) if model.holdout else None
        if facts is None:
            return ComparedRows()
        version = (facts.etag, model.contract.fingerprint)
        kept = self._known.get(model.name)
        if kept and kept[0] == version:
            return kept[1]
        sha = hashlib.sha256()
        try:
            hashes = holdout_hashes(hashed(chunks_of(self._blobs.blob(facts.path), facts), sha), model.contract)
        except (CsvProblem, DatasetChanged) as unread:
            # The gate refuses such a holdout, with the same reason and before anything is promoted.
            reason = f"{unread}; training files are not compared with it"
            event(_log, "holdout.unread", level=logging.WARNING, model=model.name, name=facts.name, reason=reason)
            return ComparedRows()
        found = ComparedRows(sha.hexdigest(), hashes)
        self._known[model.name] = (version, found)
        return found
