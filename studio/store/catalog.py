"""
Changes to the catalog: each is one transaction, since a workspace is one partition of one table.

What is too much for one transaction is saved in pieces, so ordered that a crash leaves what can be done again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableClient, TableTransactionError, UpdateMode

from shared.errors import AlreadyExists, Changed
from studio.services.catalog import Catalog, Endpoint, WebService
from studio.services.keys import Vault, new_id
from studio.store.catalog_reading import VERSION_ROW, WORKSPACE_ROW, CatalogReader

Record = WebService | Endpoint
Row = dict[str, Any]
_Operation = tuple[str, Row] | tuple[str, Row, Mapping[str, Any]]

MAX_RECORDS = 99  # the service's limit of 100 in one transaction, less the version


def in_pieces(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Cut records into as many as one transaction takes; what the others need comes first."""
    for start in range(0, len(records), MAX_RECORDS):
        yield records[start : start + MAX_RECORDS]


class CatalogStore:
    """
    Reads the catalog whole and saves changes to it atomically.

    Args:
        models_kept: How many models an endpoint remembers, the present one included.
    """

    def __init__(self, reader: CatalogReader, table: TableClient, vault: Vault, models_kept: int) -> None:
        self._reader = reader
        self._table = table
        self._vault = vault
        self._models_kept = models_kept

    def workspace(self) -> str | None:
        """Return the workspace id, or None before the first publication."""
        return self._reader.workspace()

    def read(self) -> Catalog:
        """Read everything."""
        return self._reader.read()

    def claim_workspace(self) -> str:
        """Return the workspace id, drawing and storing one if there is none; the first of two claims wins."""
        if self.workspace() is None:
            partition, row = WORKSPACE_ROW
            with suppress(ResourceExistsError):  # another publication came first: its id is read below
                self._table.create_entity({"PartitionKey": partition, "RowKey": row, "WorkspaceId": new_id()})
        return str(self.workspace())

    def save(self, records: Sequence[Record] = (), *, removed: Sequence[Record] = ()) -> None:
        """
        Save and remove records of one workspace in one transaction.

        A record without ETag is new; one with an ETag replaces exactly the row that was read.

        Raises:
            AlreadyExists: A new record's name is taken.
            Changed: A row is not the one that was read, or is gone.
        """
        if len(records) + len(removed) > MAX_RECORDS:
            raise ValueError(f"a transaction holds at most {MAX_RECORDS} records")
        workspace = (*records, *removed)[0].workspace
        version: Row = {"PartitionKey": workspace, "RowKey": VERSION_ROW, "Version": new_id()}
        operations: list[_Operation] = [
            *(self._saving(record) for record in records),
            *(self._removing(record) for record in removed),
            ("upsert", version, {"mode": UpdateMode.REPLACE}),
        ]
        try:
            self._table.submit_transaction(operations)
        except TableTransactionError as error:
            raise _conflict(error) from error

    def _saving(self, record: Record) -> _Operation:
        row = self._row(record)
        if not record.etag:
            return "create", row
        return "update", row, {"mode": UpdateMode.REPLACE, **_only(record)}

    def _removing(self, record: Record) -> _Operation:
        return "delete", self._row(record), _only(record)

    def _row(self, record: Record) -> Row:
        return _service_row(record) if isinstance(record, WebService) else self._endpoint_row(record)

    def _endpoint_row(self, endpoint: Endpoint) -> Row:
        return {
            "PartitionKey": endpoint.workspace,
            "RowKey": f"endpoint-{endpoint.service_id}-{endpoint.name}",
            "EndpointId": endpoint.id,
            "ServiceId": endpoint.service_id,
            "Name": endpoint.name,
            "PrimaryKey": self._vault.lock(endpoint.primary_key.reveal().encode()),
            "SecondaryKey": self._vault.lock(endpoint.secondary_key.reveal().encode()),
            "CreatedAt": endpoint.created_at,
            "Model": endpoint.model,
            "PreventUpdate": endpoint.prevent_update,
            "Description": endpoint.description,
            "MaxConcurrentCalls": endpoint.max_concurrent_calls,
            "ThrottleLevel": endpoint.throttle_level,
            "DiagnosticsLevel": endpoint.diagnostics_level,
            "PastModels": ",".join(self._past_models(endpoint)),
        }

    def _past_models(self, endpoint: Endpoint) -> list[str]:
        known = self._reader.known(endpoint.etag)
        past = [known.model, *endpoint.past_models] if known is not None and known.model else endpoint.past_models
        return [model for model in dict.fromkeys(past) if model != endpoint.model][: self._models_kept - 1]


def _service_row(service: WebService) -> Row:
    return {
        "PartitionKey": service.workspace,
        "RowKey": f"service-{service.id}",
        "ServiceId": service.id,
        "Name": service.name,
        "Kind": service.kind.value,
        "Experiment": service.experiment,
        "InputName": service.input_name,
        "Resource": service.resource,
        "CreatedAt": service.created_at,
        "Description": service.description,
        "Score": json.dumps(service.score.to_json()),
    }


def _only(record: Record) -> dict[str, Any]:
    return {"etag": record.etag, "match_condition": MatchConditions.IfNotModified}


def _conflict(error: TableTransactionError) -> Exception:
    if error.status_code == 409:
        return AlreadyExists("a record of that name is already there")
    if error.status_code in (404, 412):
        return Changed("the record was changed or removed by somebody else")
    return error
