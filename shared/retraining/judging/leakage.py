"""How much of the holdout a run was trained on, also where the holdout came after the files."""

from __future__ import annotations

from collections.abc import Callable

from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.row_hashes import count_shared, holdout_hashes
from shared.domain.lifecycle.runs import Run
from shared.domain.model import Model
from shared.errors import DatasetChanged, RetrainError


class Uncountable(RetrainError):
    """What a run was trained on cannot be held against the holdout any more."""


def shared_rows(
    blobs: BlobStore, run: Run, model: Model, holdout: bytes, version: str, progress: Callable[[], None]
) -> int:
    """
    Return how many rows that a run was trained on are in the holdout too.

    They were counted when the files came; where the holdout is another one by now, the training data is read again.

    Args:
        version: Hash of the holdout's bytes.
        progress: Called again and again while data is read, which may take long.

    Raises:
        Uncountable: The training data is gone, or was replaced.
    """
    if run.holdout == version:
        return run.overlap
    blob = blobs.blob(run.training_blob)
    facts = facts_of(blob)
    if facts is None or facts.etag != run.training_etag:
        raise Uncountable(f"the holdout is newer than '{run.training_blob}', which is gone or was replaced since")
    try:
        hashes = holdout_hashes([holdout], model.contract)
        return count_shared(chunks_of(blob, facts), model.contract, hashes, progress)
    except (CsvProblem, DatasetChanged) as unread:
        raise Uncountable(f"the holdout is newer than '{run.training_blob}': {unread}") from unread
