"""How much of the holdout champion and challenger were trained on, also where the holdout came after the files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from shared.adapters.blobs import BlobStore, chunks_of, facts_of
from shared.adapters.runs_table import RunTable
from shared.domain.data.contract import Contract
from shared.domain.data.csv_text import CsvProblem
from shared.domain.data.row_hashes import RowHashes, count_shared, holdout_hashes
from shared.domain.gate import Circumstances
from shared.domain.lifecycle.runs import Run
from shared.errors import DatasetChanged, RetrainError


class Uncountable(RetrainError):
    """What a run was trained on cannot be held against the holdout any more."""


@dataclass(frozen=True)
class JudgedOn:
    """A holdout of `n_rows` rows; `version` is the hash of its bytes."""

    data: bytes
    version: str
    n_rows: int
    contract: Contract

    @cached_property
    def hashes(self) -> RowHashes:
        """Hash its rows, which only a holdout that is newer than the files needs."""
        return holdout_hashes([self.data], self.contract)


class Leakage:
    """Counts the rows of a holdout that are in training data too."""

    def __init__(self, blobs: BlobStore, runs: RunTable) -> None:
        self._blobs, self._runs = blobs, runs

    def counted(
        self, around: Circumstances, run: Run, champion: str, holdout: JudgedOn, progress: Callable[[], None]
    ) -> Circumstances:
        """
        Add the shares of the holdout that both models were trained on, or why nobody can say it of the challenger.

        Args:
            champion: The run that made the champion; of any other model, such as the published one, nothing is known.
            progress: Called again and again while data is read, which may take long.
        """
        made = self._runs.find(run.model, champion)
        if made:
            with suppress(Uncountable):  # it can only have flattered the champion
                around = replace(around, champion_overlap=self._share(made, holdout, progress))
        try:
            return replace(around, overlap=self._share(run, holdout, progress))
        except Uncountable as uncountable:
            return replace(around, uncounted_because=str(uncountable))

    def _share(self, run: Run, holdout: JudgedOn, progress: Callable[[], None]) -> float:
        return min(1.0, self._count(run, holdout, progress) / holdout.n_rows)

    def _count(self, run: Run, holdout: JudgedOn, progress: Callable[[], None]) -> int:
        """Count anew where the holdout is another one than when the files came."""
        if run.holdout == holdout.version:
            return run.overlap
        blob = self._blobs.blob(run.training_blob)
        facts = facts_of(blob)
        if facts is None or facts.etag != run.training_etag:
            raise Uncountable(f"the holdout is newer than '{run.training_blob}', which is gone or was replaced since")
        try:
            return count_shared(chunks_of(blob, facts), holdout.contract, holdout.hashes, progress)
        except (CsvProblem, DatasetChanged) as unread:
            raise Uncountable(f"the holdout is newer than '{run.training_blob}': {unread}") from unread
