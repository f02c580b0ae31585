"""The right to use one model's endpoints: held by one worker at a time, renewed while it works."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from shared.adapters.models_table import ModelTable
from shared.errors import Changed
from shared.retraining import Clock

_LENGTH = timedelta(minutes=10)  # longer than any single call to a service, its retries included


class Lease:
    """One worker's lease on one model."""

    def __init__(self, records: ModelTable, model: str, clock: Clock) -> None:
        self._records, self._model, self._clock = records, model, clock
        self._holder = uuid4().hex

    def hold(self) -> None:
        """
        Take the lease, or renew it.

        Raises:
            Changed: Another worker has it.
        """
        if self._records.lease(self._model, self._holder, self._clock(), _LENGTH) is None:
            raise Changed(f"another run is using the endpoints of '{self._model}'")

    def release(self) -> None:
        """Give it back, if it is still held."""
        self._records.release(self._model, self._holder)
