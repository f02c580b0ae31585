"""Which runs of a model were let through to its training service, and when: rows of the table `models`."""

from __future__ import annotations

import json
from datetime import datetime

from shared.adapters.tables import Row, TableStore, stored
from shared.domain.lifecycle.limits import Admissions
from shared.errors import AlreadyExists, Changed

_PARTITION = "admissions"


class AdmissionTable:
    """One row for each model that has limits; every save is conditional on the version that was read."""

    def __init__(self, table: TableStore) -> None:
        self._table = table

    def load(self, model: str) -> Admissions:
        """Return what was let through; nothing where the model has no row yet."""
        found = self._table.get(_PARTITION, model)
        if found is None:
            return Admissions(model)
        row, version = found
        admitted = tuple((run, datetime.fromisoformat(at)) for run, at in json.loads(row["admitted"]))
        return Admissions(model, admitted, version)

    def save(self, admissions: Admissions) -> None:
        """
        Save what was let through.

        Raises:
            Changed: Another worker let a run through meanwhile.
        """
        row: Row = {
            "PartitionKey": _PARTITION,
            "RowKey": admissions.model,
            "admitted": json.dumps([[run, stored(at)] for run, at in admissions.admitted]),
        }
        if admissions.version:
            self._table.replace(row, admissions.version)
            return
        try:
            self._table.insert(row)
        except AlreadyExists as other:
            raise Changed(f"another worker let a run of '{admissions.model}' through") from other
