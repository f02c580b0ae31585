"""Golden rows: some rows and what both models answer to them, kept so that a change of what serves is proven."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from shared.adapters.blobs import BlobStore
from shared.domain.lifecycle.runs import Run
from shared.wire import Cell


@dataclass(frozen=True)
class GoldenRows:
    """Rows, and the answers of both models; None where a model could not be asked."""

    columns: tuple[str, ...]
    rows: list[list[Cell]]
    challenger: list[Any] | None
    champion: list[Any] | None

    def of(self, who: str) -> list[Any] | None:
        """Return the answers of `challenger` or `champion`."""
        return self.challenger if who == "challenger" else self.champion


class GoldenStore:
    """Keeps golden rows beside a run's artifacts."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def save(self, run: Run, rows: GoldenRows) -> GoldenRows:
        """Keep a run's golden rows, and return them."""
        self._blobs.write_json(_path(run), asdict(rows))
        return rows

    def load(self, run: Run) -> GoldenRows | None:
        """Return a run's golden rows; None where none were kept."""
        document = self._blobs.read_json(_path(run))
        return None if document is None else GoldenRows(**document | {"columns": tuple(document["columns"])})


def _path(run: Run) -> str:
    return f"{run.artifacts}/golden.json"
